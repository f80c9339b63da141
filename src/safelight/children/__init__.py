"""Work that would block the event loop, done in a child process: both ends of the pipes between them, no policy."""
