// Plays what a test says, a JSON command a line, on a client of Phoenix channels as npm has it, and tells all it hears.
"use strict"

const { Socket } = require(process.argv[2])
const transport = require("ws")

const channels = new Map()
let socket = null

const tell = (on, more) => process.stdout.write(JSON.stringify({ on, ...more }) + "\n")
const again = () => 200

const commands = {
  connect({ url, ...options }) {
    // `timeout` bounds the waiting for replies, `again` the waiting for the next try
    socket = new Socket(url, { transport, reconnectAfterMs: again, rejoinAfterMs: again, timeout: 5000, ...options })
    socket.onOpen(() => tell("open", { protocol: socket.conn.protocol }))
    socket.onClose(event => tell("close", { code: event.code }))
    socket.onError(() => tell("socket_error", {}))
    socket.onMessage(message => tell("message", { message }))
    socket.connect()
  },
  join({ topic, events }) {
    const channel = socket.channel(topic, {})
    channels.set(topic, channel)
    for (const event of events) channel.on(event, payload => tell("event", { topic, event, payload }))
    channel.onError(reason => tell("channel_error", { topic, reason }))
    channel.onClose(() => tell("channel_close", { topic }))
    hear(channel.join(), "join", topic)
  },
  push({ topic, event, payload }) {
    hear(channels.get(topic).push(event, payload), event, topic)
  },
  leave({ topic }) {
    hear(channels.get(topic).leave(), "leave", topic)
  },
  disconnect() {
    socket.disconnect(() => process.exit(0))
  },
}

function hear(push, event, topic) {
  for (const status of ["ok", "error", "timeout"]) {
    push.receive(status, response => tell("reply", { topic, event, status, response }))
  }
}

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", line => {
    const { command, ...more } = JSON.parse(line)
    commands[command](more)
  })
  .on("close", () => process.exit(0))
