// A telephone as a page has it: SIP.js over a WebSocket, told by lines on standard input, answering by lines of JSON.
// Media is left out: its session descriptions are plain RTP to a port where nobody listens.
import { createInterface } from "node:readline";
import { Inviter, Registerer, SessionState, UserAgent } from "sip.js";
import WebSocket from "ws";

globalThis.WebSocket = WebSocket;
const [url, account, domain, password] = process.argv.slice(2);
const tell = (event, more = {}) => console.log(JSON.stringify({ event, ...more }));

const description = () => ({
  body:
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
    "m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n",
  contentType: "application/sdp",
});

class Silent {
  close() {}
  hasDescription(type) {
    return type === "application/sdp";
  }
  async getDescription() {
    return description();
  }
  async setDescription(sdp) {
    tell("description", { sdp });
  }
  async rollbackDescription() {}
  sendDtmf() {
    return false;
  }
}

let session;
const follow = (one) => {
  session = one;
  one.stateChange.addListener((state) => tell(state.toLowerCase()));
};

const agent = new UserAgent({
  uri: UserAgent.makeURI(`sip:${account}@${domain}`),
  authorizationUsername: account,
  authorizationPassword: password,
  transportOptions: { server: url, keepAliveInterval: 1 },
  sessionDescriptionHandlerFactory: () => new Silent(),
  logBuiltinEnabled: false,
  delegate: {
    onInvite(invitation) {
      follow(invitation);
      tell("rings", { from: invitation.remoteIdentity.uri.user });
    },
  },
});
const registerer = new Registerer(agent);
registerer.stateChange.addListener((state) => tell(state.toLowerCase()));

const verbs = {
  register: () =>
    registerer.register({ requestDelegate: { onReject: (r) => tell("rejected", { status: r.message.statusCode }) } }),
  unregister: () => registerer.unregister(),
  dial(number) {
    follow(new Inviter(agent, UserAgent.makeURI(`sip:${number}@${domain}`)));
    return session.invite({
      requestDelegate: { onReject: (r) => tell("rejected", { status: r.message.statusCode }) },
    });
  },
  answer: () => session.accept(),
  refuse: () => session.reject(),
  hangup: () => session.bye(),
  async quit() {
    await agent.stop();
    process.exit(0);
  },
};

await agent.start();
tell("connected");
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...words] = line.split(" ");
  await verbs[verb](...words);
}
