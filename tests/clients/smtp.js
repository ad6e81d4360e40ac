// A mail server for the tests: `smtp.js PORT REFUSALS` answers the first letters with 451, letters to nobody@… with 550
// and takes the others; what happens is printed, a line of JSON each.
"use strict"

const { SMTPServer } = require("smtp-server")

const [port, refusals] = process.argv.slice(2).map(Number)
let left = refusals
const say = (event, more = {}) => console.log(JSON.stringify({ event, ...more }))
const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code })

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onRcptTo({ address }, _session, done) {
    if (!address.startsWith("nobody@")) return done()
    say("rejected", { address })
    done(refusal(550, "no such mailbox"))
  },
  onData(stream, session, done) {
    const chunks = []
    stream.on("data", chunk => chunks.push(chunk))
    stream.on("end", () => {
      if (left > 0) {
        left -= 1
        say("refused")
        return done(refusal(451, "come back later"))
      }
      const to = session.envelope.rcptTo.map(({ address }) => address)
      say("letter", { to, eml: Buffer.concat(chunks).toString("utf8") })
      done()
    })
  },
})
server.on("error", error => say("error", { message: error.message }))
server.listen(port, "127.0.0.1", () => say("listening"))
