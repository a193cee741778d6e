# SPDX-License-Identifier: Apache-2.0
"""A random test of a directory against a model of a file system.

    python3 tests/mount/model --top DIR --store fs:DIR|s3:PREFIX
        [--remount COMMAND] [--operations N] [--seed S] ...

Several processes work below --top, each in a directory of its own, where every
answer is the model's, and all in one, where what holds in any order does.
Between, COMMAND mounts anew, and what is there and what the store itself holds
are compared. The operations depend on the seed alone. When something is wrong
those of the process are made as few as may be and printed, a line each, as
--replay takes them; the exit status is 1.
"""
import argparse
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import traceback

sys.dont_write_bytecode = True
import shared                           # noqa: E402
from choose import Chooser              # noqa: E402
from run import Run, Wrong, op_of, op_text  # noqa: E402
from shrink import Shrinker             # noqa: E402
from store import store_of              # noqa: E402

SEGMENTS = 2                            # each ends with a remount
CHECKS = 250                            # operations, with files that are open
SHARED = 0.08                           # of all operations


class Worker:
    """What one process does, in its own main()."""

    def __init__(self, args, number):
        self.args, self.number = args, number
        self.store = store_of(args)
        self.run = self.shared = None

    def begin(self, episode):
        if self.run:
            shutil.rmtree(self.run.top)
        self.dice = random.Random("%s %d %d" % (
            self.args.seed, self.number, episode))
        self.run = Run(os.path.join(self.args.top, "p%d-e%d" % (
            self.number, episode)), self.store, self.args.plant)
        self.chooser = Chooser(self.dice, self.run.model, self.args.direct)

    def work(self, top):
        """A segment; what it remembers of the shared directory."""
        part = shared.Shared(self.dice, top, self.number,
                             self.store.forgets)
        done = 0
        while done < self.args.each:
            if self.dice.random() < SHARED:
                part.step()
                done += 1
                continue
            done += self.run.step(self.chooser.next())
            if done % CHECKS == 0:
                self.run.step(("check",))
        self.run.before_remount()
        return part

    def verify(self):
        self.run.after_remount()

    def main(self, pipe):
        while True:
            name, *args = pipe.recv()
            try:
                pipe.send(("done", getattr(self, name)(*args)))
            except Wrong as wrong:
                pipe.send(("wrong", str(wrong), self.run.ops))
            except Exception:
                pipe.send(("wrong", traceback.format_exc(), self.run.ops))


class Failed(Exception):
    def __init__(self, number, text, ops):
        self.number, self.text, self.ops = number, text, ops


class Test:
    def __init__(self, args):
        self.args = args
        self.pipes, self.workers = [], []
        self.remounts = 0

    def remount(self):
        self.remounts += 1
        if self.args.remount:
            subprocess.run(
                ["bash", "-c", self.args.remount, "bash", str(self.remounts)],
                check=True, stdin=subprocess.DEVNULL, timeout=300)

    def start(self):
        for number in range(self.args.processes):
            ours, theirs = multiprocessing.Pipe()
            worker = multiprocessing.Process(
                target=Worker(self.args, number).main, args=(theirs,),
                daemon=True)
            worker.start()
            self.workers.append(worker)
            self.pipes.append(ours)

    def answer(self, number):
        try:
            return self.pipes[number].recv()
        except EOFError:
            self.workers[number].join()
            return "wrong", "the process ended by itself: %s" % (
                self.workers[number].exitcode), []

    def all(self, *call):
        """All do it side by side; what each returned."""
        for pipe in self.pipes:
            pipe.send(call)
        answers = [self.answer(number) for number in range(len(self.pipes))]
        for number, (what, *rest) in enumerate(answers):
            if what == "wrong":
                raise Failed(number, *rest)
        return [value for _, value in answers]

    def shared_check(self, top, parts):
        try:
            shared.check(top, parts)
        except Wrong as wrong:
            raise Failed(-1, str(wrong), []) from None

    def run(self):
        done = episode = 0
        while done < self.args.operations:
            self.all("begin", episode)
            for segment in range(SEGMENTS):
                if done >= self.args.operations:
                    break
                top = os.path.join(self.args.top, "shared-%d-%d" % (
                    episode, segment))
                shared.prepare(top, self.args.processes)
                parts = self.all("work", top)
                self.shared_check(top, parts)
                self.remount()
                self.all("verify")
                self.shared_check(top, parts)
                shutil.rmtree(top)
                done += self.args.each * self.args.processes
            episode += 1
        return done

    def report(self, failed):
        who = ("process %d" % failed.number if failed.number >= 0
               else "all processes")
        print("%s, after %d operations: %s" % (
            who, len(failed.ops), failed.text))
        print("seed %s; the same once more: --seed %s" % (
            self.args.seed, self.args.seed))
        sys.stdout.flush()
        for worker in self.workers:     # which have files open
            worker.kill()
            worker.join()
        if not failed.ops:
            return
        shrinker = Shrinker(self.args, store_of(self.args), self.remount)
        best = shrinker.shrink(failed.ops)
        if best is None:
            print("not wrong by itself, without the other processes; the last:")
            best = failed.ops[-30:]
        else:
            print("%d operations of one process are enough: %s" % (
                len(best), shrinker.wrong))
        for op in best:
            print("    " + op_text(op))
        if self.args.save:
            with open(self.args.save, "w", encoding="utf-8") as f:
                f.writelines(op_text(op) + "\n" for op in best)


def replay(args, test):
    with open(args.replay, encoding="utf-8") as f:
        ops = [op_of(line) for line in f if line.strip()]
    shrinker = Shrinker(args, store_of(args), test.remount)
    done = shrinker.fails(ops)
    print("operation %d: %s" % (done, shrinker.wrong) if done
          else "%d operations, nothing wrong" % len(ops))
    return 1 if done else 0


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--top", required=True)
    parse.add_argument("--store", required=True)
    parse.add_argument("--remount", help="a text for bash; $1 counts them")
    parse.add_argument("--flush", help="a text for bash: what was closed is "
                       "in the store then")
    parse.add_argument("--operations", type=int, default=100000)
    parse.add_argument("--each", type=int, default=600,
                       help="operations of a process between two remounts")
    parse.add_argument("--processes", type=int, default=4)
    parse.add_argument("--seed", default=str(random.randrange(1 << 32)))
    parse.add_argument("--direct", type=int, default=1, help="0: no O_DIRECT")
    parse.add_argument("--plant", help="a fault that must be found")
    parse.add_argument("--shrink-s", type=float, default=120)
    parse.add_argument("--save", help="a file for the shortest sequence")
    parse.add_argument("--replay", metavar="FILE")
    args = parse.parse_args()
    args.top = os.path.realpath(args.top)
    test = Test(args)
    if args.replay:
        return replay(args, test)
    print("seed %s" % args.seed, flush=True)
    test.start()
    try:
        done = test.run()
    except Failed as failed:
        test.report(failed)
        return 1
    print("%d operations by %d processes, %d remounts: nothing wrong" % (
        done, args.processes, test.remounts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
