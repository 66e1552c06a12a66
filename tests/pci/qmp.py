# SPDX-License-Identifier: MIT
"""QEMU's monitor, for tests that change the machine while it runs."""
import json
import socket


class Monitor:
    """QEMU's, at a socket."""

    def __init__(self, path):
        self.events = []
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path)
        self.s.settimeout(120)
        self.f = self.s.makefile("rw")
        self.f.readline()
        self.ask("qmp_capabilities")

    def next(self):
        line = self.f.readline()
        if not line:
            raise AssertionError("QEMU ended")
        return json.loads(line)

    def ask(self, command, **arguments):
        self.f.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.f.flush()
        while "event" in (answer := self.next()):
            self.events.append(answer)
        if "return" not in answer:
            raise AssertionError("%s %s: %s" % (command, arguments, answer))

    def deleted(self, device):
        """Waits until the guest has let the device go."""
        def is_it(e):
            return e["event"] == "DEVICE_DELETED" and e["data"].get("device") == device
        while not any(is_it(e) for e in self.events):
            answer = self.next()
            if "event" in answer:
                self.events.append(answer)
        self.events = [e for e in self.events if not is_it(e)]
