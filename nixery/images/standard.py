"""What programs expect of a root file system and no package need provide."""

from nixery.images.entries import RootFile, RootLink
from nixery.images.tree import Tree
from nixery.images.union import MODE

_DIRECTORIES = {
    "etc": MODE,
    "var": MODE,
    "run": MODE,
    "proc": MODE,
    "sys": MODE,
    "dev": MODE,
    "home": MODE,
    "root": 0o700,
}

# The users of Debian's base-passwd that programs ask for, without those of its own tools.
_FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
        "mail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n"
        "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    ),
    "etc/group": "root:x:0:\ndaemon:x:1:\nmail:x:8:\nwww-data:x:33:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n",
}

# Each path with where it may lead, the first that exists.
_LINKS = {
    "usr/bin/env": ("/bin/env",),
    "bin/sh": ("/usr/bin/sh", "/bin/bash", "/usr/bin/bash"),
    "etc/ssl/certs/ca-bundle.crt": ("/etc/ssl/certs/ca-certificates.crt",),
    "etc/ssl/certs/ca-certificates.crt": ("/etc/ssl/certs/ca-bundle.crt",),
}


def furnish(tree: Tree) -> None:
    """Add it all where no package has it; /tmp and /var/tmp are always there, and open to everyone."""
    for path, mode in _DIRECTORIES.items():
        if tree.get(path) is None:
            tree.make_directory(path, mode)
    for path, text in _FILES.items():
        tree.put(path, RootFile(text.encode(), 0o644))
    for path, targets in _LINKS.items():
        existing = [target for target in targets if tree.get(target) is not None]
        if existing:
            tree.put(path, RootLink(existing[0]))
    tree.put("var/run", RootLink("/run"))
    for path in ("tmp", "var/tmp"):
        tree.make_directory(path, 0o1777)
