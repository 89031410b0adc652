/**
 * The health check of the container image: exit code 0 when the server beside it answers `GET /healthz` with 200.
 * It knows options from the environment only. The certificate is for another name than the address asked here, and is
 * not looked at. Docker ends a check that takes too long.
 */
import { get as getPlainly } from 'node:http'
import { get as getSecurely } from 'node:https'
import { posix } from 'node:path'

const { PARTYLINE_HOST, PARTYLINE_PORT, PORT, PARTYLINE_BASE_PATH } = process.env
const target = {
  host: PARTYLINE_HOST || '127.0.0.1',
  port: PARTYLINE_PORT || PORT || '8080',
  path: posix.join('/', PARTYLINE_BASE_PATH ?? '', 'healthz'),
  rejectUnauthorized: false,
}

/**
 * @param {typeof getPlainly | typeof getSecurely} get
 * @returns {Promise<number | undefined>} the status of the answer
 */
const statusBy = (get) =>
  new Promise((resolve, reject) => {
    const request = get(target, (answer) => resolve(answer.statusCode))
    request.on('error', reject)
  })

const status = await statusBy(getPlainly)
  .catch(() => statusBy(getSecurely))
  .catch(() => undefined)
process.exit(status === 200 ? 0 : 1)
