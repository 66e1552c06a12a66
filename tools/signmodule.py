#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Appends a signature to a module's file, in the form that Linux's sign-file gives it: a PKCS #7 message of openssl's, how long it is, a line of magic.

Usage: signmodule.py FOLDER IN OUT [sha256|sha512], FOLDER being modkey.py's
"""
import os
import struct
import subprocess
import sys

MAGIC = b"~Module signature appended~\n"


def sign(folder, data, digest="sha512", *more):
    r = subprocess.run(["openssl", "cms", "-sign", "-binary", "-noattr", "-nocerts", "-nosmimecap", "-md", digest, "-outform", "DER",
                        "-signer", folder + "/cert.pem", "-inkey", folder + "/key.pem", *more], input=data, stdout=subprocess.PIPE, check=True)
    return data + r.stdout + struct.pack(">2xB5xI", 2, len(r.stdout)) + MAGIC


def main(folder, source, out, digest="sha512"):
    with open(source, "rb") as f:
        data = sign(folder, f.read(), digest)
    with open(out + ".new", "wb") as f:
        f.write(data)
    os.rename(out + ".new", out)


if __name__ == "__main__":
    main(*sys.argv[1:])
