#!/usr/bin/env python3
"""Whole-server power cuts below the file system.

A real server works on a real file system (ext4 or xfs) on a loop device, whose backing file is a FUSE file that logs each
write and each flush. The log is then cut at random places: everything before the last flush is on the disk, of what was
written since then none, some blocks in no order, or all. Each image is mounted, a server started on it, and every request
that was answered before the cut must be there. Blocks are of 4 KiB: no file system survives its own blocks torn (the store
does, which `seatsoak disk` tries). Images that the file system itself cannot mount are counted and passed over.

Needs root, /dev/fuse, loop devices, fusepy with libfuse2, e2fsprogs or xfsprogs, and built binaries:

    apt-get install -y libfuse2 && pip install fusepy    # or: apt-get install -y python3-fusepy
    cargo build --release -p seatkeeper -p seatmint
    python3 tools/soak/power/blocklog.py --cuts 200 --fs ext4 --seed 1
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

BLOCK = 4096
FLUSH = None


class Log:
    """The writes and flushes of a disk, in order."""

    def __init__(self):
        self.entries = []
        self.lock = threading.Lock()

    def add(self, entry):
        with self.lock:
            self.entries.append(entry)

    def __len__(self):
        with self.lock:
            return len(self.entries)


def serve_disk(mount_point, image, log):
    """Mounts a directory with one file, `disk`, whose writes are logged and go to `image`."""
    from fuse import FUSE, FuseOSError, Operations
    import errno
    import stat

    class Disk(Operations):
        def __init__(self):
            self.fd = os.open(image, os.O_RDWR)

        def getattr(self, path, fh=None):
            if path == "/":
                return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}
            if path == "/disk":
                return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": os.fstat(self.fd).st_size}
            raise FuseOSError(errno.ENOENT)

        def readdir(self, path, fh):
            return [".", "..", "disk"]

        def open(self, path, flags):
            return 0

        def read(self, path, size, offset, fh):
            return os.pread(self.fd, size, offset)

        def write(self, path, data, offset, fh):
            log.add((offset, bytes(data)))
            os.pwrite(self.fd, data, offset)
            return len(data)

        def flush(self, path, fh):
            return 0

        def fsync(self, path, datasync, fh):
            log.add(FLUSH)
            return 0

    FUSE(Disk(), mount_point, foreground=True, nothreads=True, big_writes=True)


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def try_run(*command):
    return subprocess.run(command, capture_output=True, text=True)


class Site:
    """A vendor's files and the binaries."""

    def __init__(self, place, binaries):
        self.seatkeeper = os.path.join(binaries, "seatkeeper")
        self.seatmint = os.path.join(binaries, "seatmint")
        self.place = place
        self.private, self.public = os.path.join(place, "vendor.key"), os.path.join(place, "vendor.pub")
        catalogue, self.signed = os.path.join(place, "catalogue.toml"), os.path.join(place, "catalogue")
        with open(catalogue, "w") as file:
            file.write(CATALOGUE)
        self.config = os.path.join(place, "seatkeeper.toml")
        with open(self.config, "w") as file:
            file.write(CONFIG)
        run(self.seatmint, "keygen", "--out", self.private)
        run(self.seatmint, "catalogue", "sign", catalogue, "--key", self.private, "--out", self.signed)
        self.key = run(
            self.seatmint, "issue", "--key", self.private, "--product", "POWER", "--seats", "5000"
        ).strip().splitlines()[-1]

    def start(self, data):
        log = open(os.path.join(self.place, "server.log"), "w")
        server = subprocess.Popen(
            [self.seatkeeper, "serve", "--config", self.config, "--data", data, "--listen", "127.0.0.1:17999"], stdout=log, stderr=log
        )
        deadline = time.monotonic() + 60
        while not os.path.exists(os.path.join(data, "server.json")):
            if server.poll() is not None:
                raise RuntimeError("the server does not start: " + open(log.name).read())
            if time.monotonic() > deadline:
                server.kill()
                raise RuntimeError("the server neither starts nor ends: " + open(log.name).read())
            time.sleep(0.02)
        return server

    def fingerprint(self, data):
        return json.loads(self.admin(data, "status", "--json"))["fingerprint"]

    def admin(self, data, *args):
        return run(self.seatkeeper, *args, "--data", data, "--timeout", "30")

    def agent(self, verb, number):
        mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
        environment = dict(os.environ, SEATKEEPER_STATE_DIR=os.path.join(self.place, "agents"))
        run(
            self.seatkeeper, "agent", verb, "POWER", "agent", "--mac", mac, "--server", "127.0.0.1:17999",
            "--vendor-key", self.public, env=environment,
        )
        return mac


CATALOGUE = """
vendor = "Power"

[products.POWER]
name = "Power"

[products.POWER.components]
agent = { counted = true }
"""

# No limit stands in the way, and a checkpoint is made every few rounds: they are cut too.
CONFIG = """
[limits]
new_macs_per_identity_and_day = 100000
new_seats_per_source_and_minute = 100000

[journal]
checkpoint_kib = 16
"""


def record(site, args, place):
    """Lets a server work; the base image, the log, and what was answered when."""
    base, image = os.path.join(place, "base"), os.path.join(place, "image")
    with open(image, "wb") as file:
        file.truncate(args.mebibytes << 20)
    run(f"mkfs.{args.fs}", "-q", image)
    shutil.copy(image, base)
    log = Log()
    fuse_at, mount_at = os.path.join(place, "fuse"), os.path.join(place, "mnt")
    os.makedirs(fuse_at), os.makedirs(mount_at)
    disk = threading.Thread(target=serve_disk, args=(fuse_at, image, log), daemon=True)
    disk.start()
    while not os.path.exists(os.path.join(fuse_at, "disk")):
        time.sleep(0.05)
    loop = run("losetup", "--find", "--show", os.path.join(fuse_at, "disk")).strip()
    answered = []
    try:
        run("mount", loop, mount_at)
        data = os.path.join(mount_at, "data")
        server = site.start(data)
        site.identity = site.fingerprint(data)
        site.admin(data, "vendor", "trust", site.public)
        site.admin(data, "catalogue", "import", site.signed)
        site.admin(data, "import", site.key)
        ready = len(log)
        for number in range(1, args.requests + 1):
            if number % 40 == 0:
                # The server dies now and then, and starts again on what it left.
                server.kill(), server.wait()
                os.remove(os.path.join(data, "server.json"))
                server = site.start(data)
            begun = len(log)
            answered.append((begun, site.agent("checkout", number), "held", len(log)))
            if number % 3 == 0:
                begun = len(log)
                answered.append((begun, site.agent("release", number), "free", len(log)))
        server.terminate(), server.wait()
        run("umount", mount_at)
    finally:
        try_run("umount", "-l", mount_at)
        try_run("losetup", "-d", loop)
        try_run("umount", "-l", fuse_at)
    return base, log.entries, ready, answered


def cut_image(base, entries, cut, dice, path):
    """The disk as a power cut at entry `cut` may leave it."""
    shutil.copy(base, path)
    last_flush = max((at for at in range(cut) if entries[at] is FLUSH), default=-1)
    mode = dice.choice(["none", "some", "most", "all"])
    chance = {"none": 0.0, "some": 0.3, "most": 0.9, "all": 1.0}[mode]
    unsynced = 0
    with open(path, "r+b") as disk:
        for at, entry in enumerate(entries[:cut]):
            if entry is FLUSH:
                continue
            offset, data = entry
            if at < last_flush:
                disk.seek(offset), disk.write(data)
                continue
            for start in range(0, len(data), BLOCK):
                unsynced += 1
                if dice.random() < chance:
                    disk.seek(offset + start), disk.write(data[start:start + BLOCK])
    return mode, unsynced


def check(site, args, place, image, cut, answered):
    """Mounts an image, starts a server, and compares; the names of the generations, nothing if the file system is lost."""
    mount_at = os.path.join(place, "cut")
    os.makedirs(mount_at, exist_ok=True)
    loop = run("losetup", "--find", "--show", image).strip()
    try:
        if try_run("mount", loop, mount_at).returncode != 0:
            return None
        data = os.path.join(mount_at, "data")
        generations = [name for name in os.listdir(data) if name.startswith("state.")]
        if os.path.exists(os.path.join(data, "server.json")):
            os.remove(os.path.join(data, "server.json"))
        server = site.start(data)
        try:
            seats = {row["mac"] for row in json.loads(site.admin(data, "seats", "--json"))}
            licenses = json.loads(site.admin(data, "licenses", "--json"))
            identity = site.fingerprint(data)
        finally:
            server.terminate(), server.wait()
        assert identity == site.identity, f"cut {cut}: the server is {identity}, and was {site.identity}"
        known, open_requests = {}, set()
        for begun, mac, state, ended in answered:
            if ended <= cut:
                known[mac] = state
                open_requests.discard(mac)
            elif begun < cut:
                open_requests.add(mac)
        for mac, state in known.items():
            if mac in open_requests:
                continue
            assert (mac in seats) == (state == "held"), f"cut {cut}: {mac} should be {state}"
        for mac in seats:
            assert mac in known or mac in open_requests, f"cut {cut}: {mac} was never asked for"
        for row in licenses:
            assert row["total"] == row["used"] + row["free"] and row["used"] == len(seats), f"cut {cut}: {row}"
        return generations
    finally:
        try_run("umount", "-l", mount_at)
        try_run("losetup", "-d", loop)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=200, help="how many images are tried (default 200)")
    parser.add_argument("--requests", type=int, default=150, help="machines that check out while it is logged (default 150)")
    parser.add_argument("--fs", choices=["ext4", "xfs"], default="ext4")
    parser.add_argument("--mebibytes", type=int, default=320, help="size of the disk (default 320)")
    parser.add_argument("--seed", type=int, default=None, help="what the dice begin with; at random if not given")
    parser.add_argument("--binaries", default="target/release", help="where seatkeeper and seatmint are")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    dice = random.Random(seed)
    place = tempfile.mkdtemp(prefix="seatkeeper-power-")
    try:
        site = Site(place, os.path.abspath(args.binaries))
        base, entries, ready, answered = record(site, args, place)
        flushes = sum(entry is FLUSH for entry in entries)
        print(f"{len(entries) - flushes} writes and {flushes} flushes are logged, {len(answered)} answers", flush=True)
        image = os.path.join(place, "cut.image")
        modes, lost, with_generations = {}, 0, 0
        for number in range(args.cuts):
            cut = dice.randrange(ready, len(entries) + 1)
            mode, unsynced = cut_image(base, entries, cut, dice, image)
            generations = check(site, args, place, image, cut, answered)
            lost += generations is None
            with_generations += bool(generations)
            modes[mode] = modes.get(mode, 0) + 1
            if (number + 1) % 20 == 0:
                print(f"{number + 1} cuts: {modes}", flush=True)
        assert lost * 2 < args.cuts, f"{lost} of {args.cuts} images cannot be mounted: nothing is proven"
        assert with_generations * 3 > args.cuts, f"only {with_generations} of {args.cuts} images have a checkpoint"
        print(
            f"{args.cuts} cuts on {args.fs}, {lost} of them not mountable, {with_generations} with checkpoints: on all others "
            "every answered request was there, and nothing else"
        )
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
