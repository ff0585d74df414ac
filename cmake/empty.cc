// A room whose code is all in its headers.
