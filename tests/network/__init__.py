"""What lies between a tablet and the office, made to fail: offices to talk to, a real line, several processes.

The proxy that fails as told is the one of the demo, `server.demo.proxy`; its own tests stand in `test_proxy`.
"""
