import * as z from 'zod'
import { statusOf } from './api-error.ts'
import type { Route } from './routes.ts'
import { ErrorBody } from './schemas.ts'

type Part = Readonly<Record<string, unknown>>

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Part {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Record<string, unknown>
  return rest
}

const jsonContent = (schema: Part): Part => ({ 'application/json': { schema } })
const errorRef = jsonContent({ $ref: '#/components/schemas/Error' })
const error = (description: string): Part => ({ description, content: errorRef })

const EVERYWHERE: Readonly<Record<number, string>> = {
  [statusOf('bad-request')]: 'bad-request: a part of the request is malformed; `field` names it',
  [statusOf('unauthorized')]: 'unauthorized: there is no API key of this server in the request',
  [statusOf('no-api-key')]: 'no-api-key: the server has no API key, so nobody is let in',
  [statusOf('internal')]: 'internal: the server met a defect',
}
const WITH_BODY: Readonly<Record<number, string>> = {
  [statusOf('too-large')]: 'too-large: the body is larger than any good one',
  [statusOf('unsupported-media-type')]: 'unsupported-media-type: the body is JSON, and says so',
}
const WITH_KEY: Readonly<Record<number, string>> = {
  [statusOf('idempotency-key-reused')]: 'idempotency-key-reused: the key came with another body before',
}

const parameters = (place: 'path' | 'query', schema: z.ZodObject | undefined): readonly Part[] =>
  Object.entries(schema?.shape ?? {}).map(([name, one]) => {
    const { description, ...rest } = schemaOf(one as z.ZodType, 'input')
    const required = place === 'path'
    return { name, in: place, required, ...(description === undefined ? {} : { description }), schema: rest }
  })

function operation(route: Route): Part {
  const changes = route.method !== 'GET'
  const errors = {
    ...EVERYWHERE,
    ...(route.body === undefined ? {} : WITH_BODY),
    ...(changes ? WITH_KEY : {}),
    ...route.errors,
  }
  const good = route.answer && {
    200: { description: 'Done', content: jsonContent(schemaOf(route.answer, 'output')) },
  }
  return {
    operationId: route.id,
    summary: route.summary,
    parameters: [
      ...parameters('path', route.params),
      ...parameters('query', route.query),
      ...(changes ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
    ],
    ...(route.body && { requestBody: { required: true, content: jsonContent(schemaOf(route.body, 'input')) } }),
    responses: {
      ...good,
      ...Object.fromEntries(Object.entries(errors).map(([status, description]) => [status, error(description)])),
    },
  }
}

/** The API as an OpenAPI 3.1 document. `server`: where it is, such as `/party/api/v1`. */
export function openApi(routes: readonly Route[], server: string, version: string): Part {
  const paths: Record<string, Record<string, Part>> = {}
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Partyline',
      version,
      description:
        'For backends: publish to rooms, members and users, see who is there, remove members, close rooms. Times are ms since 1970. Unknown paths are 404 (`no-such-route`), unknown methods 405 (`method-not-allowed`).',
    },
    servers: [{ url: server }],
    security: [{ apiKey: [] }],
    paths,
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'One of --api-key' } },
      parameters: {
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          required: false,
          description:
            'A request that comes again with the same key within an hour is answered as before, with `Idempotency-Replayed: true`, and not carried out again. Keys are forgotten when the server restarts: what is repeated after that is carried out once more, and stored twice with `store`.',
          schema: { type: 'string', minLength: 1, maxLength: 255 },
        },
      },
      schemas: { Error: schemaOf(ErrorBody, 'output') },
    },
  }
}
