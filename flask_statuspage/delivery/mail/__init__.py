"""Mail: the message, the ways it can leave by, and what a mail server's answers mean."""
