"""Tell the world: formats turn an event into a text, channels carry it to an address."""
