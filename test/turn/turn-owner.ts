/** A process that owns a coturn, to be killed by a test. Arguments: port, and a folder unless it is to be a temporary one. Prints the pid of coturn. */
import { LocalTurn } from '../../turn/index.ts'

const [port, folder] = process.argv.slice(2)
const silent = { info: () => {}, warn: () => {}, error: () => {} }
const turn = new LocalTurn({
  options: {
    secrets: ['secret-of-the-owner-test'],
    port: Number(port),
    listenAddresses: ['127.0.0.1'],
    relayPorts: { min: 20_000, max: 29_999 },
  },
  folder,
  logger: silent,
})
const state = await turn.start()
console.log(state.status === 'running' ? state.pid : JSON.stringify(state))
