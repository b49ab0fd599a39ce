"""The order of the tests."""


def pytest_collection_modifyitems(items):
    """Put the README's tour first: while one process is on it, which takes minutes, the others do the rest."""
    items.sort(key=lambda item: item.name != "test_the_tour_runs")
