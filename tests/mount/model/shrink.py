# SPDX-License-Identifier: Apache-2.0
"""Makes a sequence of operations that fails as short as may be."""
import os
import time

from run import Run, Wrong


class Shrinker:
    def __init__(self, args, store, remount):
        self.args, self.store, self.remount = args, store, remount
        self.tries = 0
        self.wrong = None               # what the shortest one says

    def fails(self, ops):
        """How many operations it takes, by one process in a new directory;
        0 where nothing is wrong."""
        self.tries += 1
        run = Run(os.path.join(self.args.top, "try-%d-%d" % (
            os.getpid(), self.tries)), self.store, self.args.plant,
            self.remount)
        done = 0
        try:
            for op in ops:
                done += 1
                run.step(op)
            run.check()
        except Wrong as wrong:
            self.wrong = str(wrong)
            return done
        finally:
            run.real.end()
        return 0

    def shrink(self, ops):
        """The shortest that was found, or None: it does not fail alone."""
        end = time.monotonic() + self.args.shrink_s
        done = self.fails(ops)
        if not done:
            return None
        best = ops[:done]
        # A remount is slow: without them, if that fails too.
        bare = [op for op in best if op[0] != "remount"]
        done = len(bare) < len(best) and self.fails(bare)
        best = bare[:done] if done else best
        size = len(best)
        while size and time.monotonic() < end:
            at, shorter = len(best), False
            while at > 0 and time.monotonic() < end:
                at -= size
                rest = best[:max(at, 0)] + best[at + size:]
                done = self.fails(rest) if rest else 0
                if done:
                    best, shorter = rest[:done], True
                    at = min(at, len(best))
            if size > 1 or not shorter:
                size //= 2
        self.fails(best)
        return best
