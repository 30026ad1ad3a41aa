"""The tour: a whole installation, walked through without a person, each step proving a promise.

One step a file, with NAME, PROMISE and `walk(stage, tell)`; walking.py has their order.
"""
