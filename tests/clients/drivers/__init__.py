"""The real clients behind one interface, so that one test drives all of them. See answer.py."""
