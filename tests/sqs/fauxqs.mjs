// The SQS server itself, as a process of its own so that it can be killed: fauxqs on a free port of
// the loopback. Given a folder, its queues outlive it.
//
//   node fauxqs.mjs [FOLDER]     prints its port when it listens
import net from "node:net";

// startFauxqs() listens on every address.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (options, ...more) {
    return listen.call(this, { ...options, host: "127.0.0.1" }, ...more);
};

const { startFauxqs } = await import("fauxqs");
const server = await startFauxqs({ port: 0, logger: false, dataDir: process.argv[2] });
console.log(server.port);
process.stdin.on("end", () => process.exit()).resume(); // whoever started it is gone
