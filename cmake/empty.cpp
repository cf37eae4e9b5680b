// Keeps a room without sources of its own a valid library.
