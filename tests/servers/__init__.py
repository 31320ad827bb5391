"""Real servers for the tests: each one private, on loopback, and gone when its block ends.

`redis`, `postgresql`, `mariadb` and `browser` start a process of their own; `smtp` and `http` run
in a thread. A server whose program is not installed raises `process.Absent`.
"""
