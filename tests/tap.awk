# SPDX-License-Identifier: Apache-2.0
# Reads one test program's TAP and says what came of it, a line a subtest:
#
#	PASS sentence | FAIL sentence | SKIP sentence
#
# -v status=N is the program's exit status, -v name=NAME what to call it. What
# a good test program never does is a FAIL too: no plan, another number of
# results than planned, results out of order, "Bail out!", a status other than
# 0 with nothing failed. No directive but SKIP excuses anything.

function say(what, text) {
	sub(/^[ \t]*-?[ \t]*/, "", text)
	print what " " (text == "" ? name " " ran : text)
	if (what == "FAIL")
		failed++
}

BEGIN { planned = -1 }

/^1\.\.[0-9]+/ {
	if (planned >= 0)
		say("FAIL", name ": a second plan")
	planned = substr($1, 4) + 0
	if (planned == 0 && match(toupper($0), /# *SKIP/)) {
		say("SKIP", name ":" substr($0, RSTART + RLENGTH))
		whole = 1
	}
	next
}

/^(not )?ok([ \t]|$)/ {
	ran++
	bad = ($1 == "not")
	text = $0
	sub(/^(not )?ok[ \t]*/, "", text)
	if (match(text, /^[0-9]+/)) {
		if (substr(text, 1, RLENGTH) + 0 != ran && !disorder) {
			say("FAIL", name ": result " substr(text, 1, RLENGTH) \
			    " where " ran " was due")
			disorder = 1
		}
		text = substr(text, RLENGTH + 1)
	}
	if (bad)
		say("FAIL", text)
	else if (match(toupper(text), /# *SKIP/))
		say("SKIP", text)
	else
		say("PASS", text)
	next
}

/^Bail out!/ { say("FAIL", name ": " $0); bailed = 1 }

END {
	if (planned < 0 && !bailed)
		say("FAIL", name ": ended without a plan")
	else if (!bailed && !whole && planned != ran + 0)
		say("FAIL", name ": planned " planned " tests, ran " ran + 0)
	else if (planned == 0 && !whole)
		say("FAIL", name ": has no test")
	if (status == 124 || status == 137)
		say("FAIL", name ": was stopped by the time limit")
	else if (status != 0 && !failed)
		say("FAIL", name ": exit status " status)
}
