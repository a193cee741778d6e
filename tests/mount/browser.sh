#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A browser at the gateway: headless Chromium downloads by a pre-signed URL;
# a page of an origin in cors_origins uploads by fetch, to an upload URL and to
# the upload API; a page of any other origin can do neither.
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"
CHROMIUM=/usr/bin/chromium
[ -x $CHROMIUM ] || bail "no $CHROMIUM"

GATEWAY=$(free_port)
OURS=$(free_port)
THEIRS=$(free_port)
API=http://127.0.0.1:$GATEWAY/v1/upload_to_stage
mkdir "$T/pages"
for port in $OURS $THEIRS; do
	/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$T/pages" \
		"$port" >"$T/http-$port" 2>&1 &
	at_exit+=("kill $! 2>/dev/null")
	until_ok 20 "curl -so /dev/null http://127.0.0.1:$port/" || bail 'no server for pages'
done

(umask 077; cat >"$CONF") <<END
[stagefs]
user = tester
log = $LOG
log_level = debug
spill_dir = $T/spill
listen = 127.0.0.1:$GATEWAY
cors_origins = http://127.0.0.1:$OURS
[storage]
url = fs://$T/data/
END
mount_up
mkdir "$MNT/web"
# typed TYPE NAME: standard input becomes a file of that type.
typed() {
	curl -fsS -H "Content-Type: $1" -T - \
		"$(xa "user.presign.upload?content_type=$1&path=$2" "$MNT/web")" ||
		bail "cannot upload $2"
}
typed text/plain down.txt <<<'what the browser downloads'
typed text/html evil.html <<'END'
<body>unchanged<script>document.body.textContent = "script ran"</script></body>
END

# browse URL: the page as it is when all its requests are answered.
browse() {
	rm -rf "$T/chrome"
	timeout -k 5 90 $CHROMIUM --headless --no-sandbox --disable-gpu \
		--disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --disable-dev-shm-usage \
		--user-data-dir="$T/chrome" --virtual-time-budget=20000 \
		--dump-dom "$1" 2>"$T/chrome.err" </dev/null
}

# A page that tries everything and tells what came of it, a line each.
page() {	# NAME
	local down up
	down=$(xa user.presign.download "$MNT/web/down.txt")
	up=$(xa "user.presign.upload?path=$1-put.txt" "$MNT/web")
	cat >"$T/pages/$1.html" <<-END
	<body><script>
	async function attempt(name, url, options, read) {
	    try {
	        const r = await fetch(url, options);
	        return name + " " + r.status + " " + await read(r) + "\n";
	    } catch (e) {
	        return name + " failed\n";
	    }
	}
	function form() {
	    const f = new FormData();
	    f.append("upload", new Blob(["by a form"]), "$1-form.txt");
	    return f;
	}
	async function all() {
	    let said = await attempt("download", "$down", {}, r => r.text());
	    said += await attempt("put", "$up", {method: "PUT", body: "by fetch"},
	        r => r.headers.has("ETag"));
	    said += await attempt("form", "$API", {method: "PUT",
	        headers: {"stage_name": "web"}, body: form()},
	        async r => (await r.json()).state);
	    said += await attempt("simple", "$API", {method: "POST", mode: "no-cors",
	        body: form()}, r => r.type);
	    document.body.textContent = said + "end";
	}
	all();
	</script></body>
	END
}
# visit NAME PORT: what the page said, in \$T/NAME.
visit() {
	page "$1"
	browse "http://127.0.0.1:$2/$1.html" >"$T/$1"
	grep -q '^end' "$T/$1" || bail "the page $1 did not come to its end: $(tail -n 3 "$T/$1" "$T/chrome.err")"
}
said() {	# NAME WORD
	grep -oE "(^|>)$2 .*" "$T/$1" | sed 's/^>//'
}

like 'a browser shows what a pre-signed URL names' \
	"$(browse "$(xa user.presign.download "$MNT/web/down.txt")")" 'what the browser downloads'
like 'a page that somebody stored runs no script' \
	"$(browse "$(xa user.presign.download "$MNT/web/evil.html")")" '>unchanged<'

visit ours $OURS
is 'a page of an allowed origin downloads' "$(said ours download)" 'download 200 what the browser downloads'
is 'it uploads by fetch and sees the ETag' "$(said ours put)" 'put 200 true'
is 'the file is there' "$(cat "$MNT/web/ours-put.txt")" 'by fetch'
is 'it uploads by FormData to the upload API' "$(said ours form)" 'form 200 SUCCESS'
is 'that file is there too' "$(cat "$MNT/web/ours-form.txt")" 'by a form'

visit theirs $THEIRS
is 'a page of another origin sees no download' "$(said theirs download)" 'download failed'
is 'it cannot upload by URL' "$(said theirs put)" 'put failed'
is 'nor by the upload API' "$(said theirs form)" 'form failed'
ok 'nothing of it is there, of the blind POST neither' \
	'[ -z "$(find $T/data -name "theirs*")" ] && ! ls $MNT/web | grep theirs'
done_testing
