#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The key that signs modules: made once, RSA of 4096 bits, by openssl; what the image has of it.

FOLDER/key.pem is the private key, FOLDER/cert.pem the certificate that sign-file and `openssl cms` take. Whoever has them already puts them there
(any RSA key of 2048 to 4096 bits with the exponent 65537): the same key gives the same images and modules, bit for bit.
Usage: modkey.py FOLDER [OUT.c]: makes what is missing and writes the C file with the modulus, the issuer's name, the serial number and the key's id
"""
import os
import subprocess
import sys
import tempfile

CONFIG = """[req]
distinguished_name = name
prompt = no
x509_extensions = more
[name]
O = Ochre
CN = Build time module signing key
[more]
basicConstraints = critical,CA:FALSE
keyUsage = digitalSignature
subjectKeyIdentifier = hash
"""


def make(folder):
    """Both files at once, or what another build made meanwhile."""
    os.makedirs(os.path.dirname(folder) or ".", exist_ok=True)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder) or ".") as d:
        new = os.path.join(d, "new")
        os.mkdir(new, 0o700)
        with open(d + "/config", "w") as f:
            f.write(CONFIG)
        r = subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:4096", "-sha512", "-nodes", "-days", "36500", "-config", d + "/config",
                            "-keyout", new + "/key.pem", "-out", new + "/cert.pem"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode:
            sys.exit("modkey: openssl makes no key:\n" + r.stdout)
        try:
            os.rename(new, folder)
        except OSError:
            if not os.path.exists(folder + "/cert.pem"):
                raise


def element(b, at=0):
    """(tag, where its value begins, where it ends) of the DER element there."""
    n, start = b[at + 1], at + 2
    if n & 0x80:
        start += n & 0x7F
        n = int.from_bytes(b[at + 2:start], "big")
    return b[at], start, start + n


def elements(b):
    """[(tag, value, whole element)] of what lies in B one after the other."""
    out, at = [], 0
    while at < len(b):
        tag, start, end = element(b, at)
        out.append((tag, b[start:end], b[at:end]))
        at = end
    return out


def facts(der):
    """(modulus, issuer, serial, key id) of a certificate."""
    fields = elements(elements(elements(der)[0][1])[0][1])       # version, serial, algorithm, issuer, validity, subject, key, extensions
    modulus, exponent = elements(elements(elements(fields[6][1])[1][1][1:])[0][1])
    if exponent[1] != b"\x01\x00\x01":
        sys.exit("modkey: the key's exponent is not 65537")
    key_id = b""
    for _, extension, _ in elements(elements(fields[7][1])[0][1]):
        parts = elements(extension)
        if parts[0][1] == b"\x55\x1d\x0e":
            key_id = elements(parts[-1][1])[0][1]
    n = modulus[1].lstrip(b"\0")
    if not 256 <= len(n) <= 512 or len(n) % 8 or n[0] < 0x80:
        sys.exit("modkey: the key has %d bits, which the kernel does not support" % (int.from_bytes(n, "big").bit_length()))
    return n, fields[3][2], fields[1][1], key_id


def main(folder, out=None):
    if not os.path.exists(folder + "/cert.pem"):
        make(folder)
    if not out:
        return
    der = subprocess.run(["openssl", "x509", "-in", folder + "/cert.pem", "-outform", "DER"], stdout=subprocess.PIPE, check=True).stdout
    text = "// SPDX-License-Identifier: MIT\n/* Made by tools/modkey.py. */\n#include \"dev/module/module_priv.h\"\n\n"
    names = []
    for name, value in zip(("modulus", "issuer", "serial", "key_id"), facts(der)):
        text += "static const u8 %s[] = { %s };\n" % (name, ", ".join("0x%02x" % c for c in value or b"\0"))
        names.append("{ %s, %d }" % (name, len(value)))
    text += "\nconst struct module_key module_key = {\n\t%s,\n};\n" % ",\n\t".join(names)
    with open(out, "w") as f:
        f.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
