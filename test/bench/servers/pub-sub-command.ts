import { PubSubServer } from './pub-sub-server.ts'

const [host = 'localhost', port = '0'] = process.argv.slice(2)
const server = await PubSubServer.start(host, Number(port))
console.log(`listening on ${server.port}`)
