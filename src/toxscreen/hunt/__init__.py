"""Looks for isolation bugs systematically: which orders to try, which tests are needed, what leaked, with proof."""
