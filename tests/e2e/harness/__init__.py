"""What the tests share: programs, models, a running server, clients. See ../../README.md."""
