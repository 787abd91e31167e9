"""Every kind of finding of the audit, and what to do about it, in the words of docs/audit.md."""

from __future__ import annotations

from typing import Final

KINDS: Final = {
    "file-name": "rename the file, or extend python_files",
    "function-name": "rename the function, or extend python_functions",
    "class-name": "rename the class, or extend python_classes",
    "class-constructor": "set the objects up in a fixture or in setup_method, without a constructor",
    "not-collected": "see what takes its place, or which plugin leaves it out",
    "shadowed": "give one of the two another name",
    "nested-test": "move the function out, or call it",
    "ignored-directory": "have pytest look there, or allow it with the reason",
    "import-fails": "mend the import: pytest names the line",
    "import-exits": "move what exits under `if __name__ == '__main__'`",
    "duplicate-basename": "rename one of the files, or set `import_mode = importlib`",
    "unregistered-marker": "register the marker under `markers`, or correct its name",
    "category-not-run": "have an environment run `pytest --category NAME`",
    "skipped-everywhere": "run it in some environment, or remove it",
    "skip-without-reason": "say why: `reason=...`",
    "empty-parameters": "give the parametrisation values",
    "async-test": "install a plugin such as pytest-asyncio and mark the test, or make it a plain function",
    "return-value": "assert the value",
    "assert-tuple": "remove the parentheses: `assert x, message`",
    "unused-fixture": "remove it, or use it",
    "unused-exception": "remove the entry from [tool.toxscreen.audit]",
}
