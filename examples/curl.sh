#!/bin/sh
# Submit a job, follow it, save the picture, with nothing but curl. Start a server first: safelight serve
set -eu

server=${SAFELIGHT_URL:-http://127.0.0.1:8000}
prompt=${1:-a lighthouse on a cliff at dusk} # printed into JSON below: keep it free of " and \

# The idempotency key makes it safe to send this again when the connection breaks: it stays one job.
job=$(curl -fsS "$server/api/jobs" \
    -H 'Content-Type: application/json' \
    -H "Idempotency-Key: example-$$-$(date +%s)" \
    -d "{\"kind\": \"image\", \"prompt\": \"$prompt\", \"params\": {\"width\": 512, \"height\": 512}}")
id=$(printf '%s' "$job" | sed 's/^{"id":"\([^"]*\)".*/\1/')

# Server-sent events: the stream closes by itself when the job has ended.
curl -fsSN "$server/api/jobs/$id/events" | sed -n 's/^event: //p'

# The address of the picture is signed: no credential is needed to fetch it.
picture=$(curl -fsS "$server/api/jobs/$id" | sed -n 's/.*"assets":\[{"id":"[^"]*","url":"\([^"]*\)".*/\1/p')
curl -fsS "$picture" -o curl.png
echo "saved curl.png"
