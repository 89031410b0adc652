import { beforeEach, describe, expect, it } from 'vitest'
import { ProcedureCalls, refuseCall } from '../../../web/client/channel/procedure.ts'
import { CALL, decodeCall, encodeCall } from '../../../web/client/channel/procedure-wire.ts'
import type { Payload } from '../../../web/client/face.ts'
import fc from '../../support/properties.ts'
import { ClientClock } from './client-clock.ts'
import { ADA, BEN, CAT, PortNetwork } from './port-network.ts'
import { expectAllHandled } from './unhandled-rejections.ts'

type Calls = ProcedureCalls<Payload, Payload>

let clock: ClientClock
let network: PortNetwork
let ada: Calls
let ben: Calls

beforeEach(() => {
  clock = new ClientClock(0)
  network = new PortNetwork(clock)
  ada = new ProcedureCalls(network.port(ADA), clock)
  ben = new ProcedureCalls(network.port(BEN), clock)
})
expectAllHandled()

/** What a promise came to, once it has. */
function watch<T>(promise: Promise<T>) {
  const seen: { value?: T; code?: unknown; message?: string; done: boolean } = { done: false }
  promise.then(
    (value) => Object.assign(seen, { value, done: true }),
    (error) => Object.assign(seen, { code: error.code, message: error.message, done: true }),
  )
  return seen
}
async function outcome<T>(promise: Promise<T>, mostMs?: number) {
  const seen = watch(promise)
  await clock.until(() => seen.done, mostMs)
  return seen
}

describe('asking', () => {
  it('gets the answer of the member asked, for JSON, text and bytes', async () => {
    ben.handle((question, { from }) => (question instanceof Uint8Array ? question.toReversed() : { question, from }))
    expect(await outcome(ada.ask(BEN, { a: 1 }))).toMatchObject({ value: { question: { a: 1 }, from: ADA } })
    expect(await outcome(ada.ask(BEN, 'text'))).toMatchObject({ value: { question: 'text' } })
    expect(await outcome(ada.ask(BEN, new Uint8Array([1, 2])))).toMatchObject({ value: new Uint8Array([2, 1]) })
    expect(clock.pending()).toBe(0)
  })

  it('gets each answer to its own question, however long each takes', async () => {
    ben.handle((question) => new Promise((resolve) => clock.setTimeout(() => resolve(question), Number(question))))
    const waits = [50, 10, 90, 0, 30]
    const seen = waits.map((wait) => watch(ada.ask(BEN, wait)))
    await clock.until(() => seen.every(({ done }) => done))
    expect(seen.map(({ value }) => value)).toEqual(waits)
  })

  it('works both ways at once, with the same numbers', async () => {
    ada.handle((question) => `ada: ${question}`)
    ben.handle((question) => `ben: ${question}`)
    const seen = [watch(ada.ask(BEN, 1)), watch(ben.ask(ADA, 1))]
    await clock.until(() => seen.every(({ done }) => done))
    expect(seen.map(({ value }) => value)).toEqual(['ben: 1', 'ada: 1'])
  })

  it('numbers its asks across the wrap', async () => {
    const cat = new ProcedureCalls<Payload, Payload>(network.port(CAT), clock, 0xffff_fffe)
    ben.handle((question) => question)
    const seen = [1, 2, 3].map((number) => watch(cat.ask(BEN, number)))
    await clock.until(() => seen.every(({ done }) => done))
    expect(seen.map(({ value }) => value)).toEqual([1, 2, 3])
  })

  it('says why there is no answer', async () => {
    expect(await outcome(ada.ask(BEN, 1))).toMatchObject({ code: 'no-handler' })
    expect(await outcome(ada.ask(CAT, 1))).toMatchObject({ code: 'left' })
    const handlers = [
      () => {
        throw new Error('too late')
      },
      () => Promise.reject('a text'),
      () => undefined as unknown as Payload,
      () => ({
        toJSON: () => {
          throw {
            toString: () => {
              throw new Error()
            },
          }
        },
      }),
    ]
    const messages: unknown[] = []
    for (const handler of handlers) {
      const calls = new ProcedureCalls<Payload, Payload>(network.port(CAT), clock)
      calls.handle(handler)
      const { code, message } = await outcome(ada.ask(CAT, 1))
      messages.push(code, message)
      calls.close()
    }
    expect(messages).toEqual([
      'handler-failed',
      'too late',
      'handler-failed',
      'a text',
      'handler-failed',
      'Undefined has no JSON form: send JSON, text or bytes',
      'handler-failed',
      expect.any(String),
    ])
  })

  it('rejects what cannot be asked, without sending', async () => {
    expect(await outcome(ada.ask(BEN, (() => 1) as Payload))).toMatchObject({ code: 'bad-argument' })
    expect(await outcome(ada.ask(BEN, new Uint8Array(8_388_609)))).toMatchObject({ code: 'too-large' })
    expect(await outcome(ada.ask('me' as typeof BEN, 1))).toMatchObject({ code: 'bad-argument' })
    for (const timeoutMs of [0, -1, Number.NaN, 2 ** 31, Number.POSITIVE_INFINITY]) {
      expect(await outcome(ada.ask(BEN, 1, { timeoutMs }))).toMatchObject({ code: 'bad-argument' })
    }
    expect(await outcome(ada.ask(BEN, 1, { signal: AbortSignal.abort() }))).toMatchObject({ code: 'aborted' })
    network.port(ADA).full = true
    expect(await outcome(ada.ask(BEN, 1))).toMatchObject({ code: 'queue-full' })
    expect(network.port(ADA).sent).toEqual([])
  })

  it('gives up after the time-out, and tells the handler', async () => {
    let signal: AbortSignal | undefined
    ben.handle((_, context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    const start = clock.now()
    expect(await outcome(ada.ask(BEN, 1, { timeoutMs: 200 }))).toMatchObject({ code: 'timeout' })
    expect(clock.now() - start).toBe(200)
    await clock.until(() => signal?.aborted === true)
    expect(signal?.reason).toMatchObject({ code: 'aborted' })
    expect(await outcome(ada.ask(BEN, 1), 40_000)).toMatchObject({ code: 'timeout' })
    expect(clock.now() - start).toBeGreaterThanOrEqual(30_000)
  })

  it('is aborted by its signal, at both ends, and an answer that is under way is dropped', async () => {
    const signals: AbortSignal[] = []
    ben.handle((question, { signal }) => {
      signals.push(signal)
      return question
    })
    const abort = new AbortController()
    const seen = watch(ada.ask(BEN, 1, { signal: abort.signal }))
    await clock.until(() => signals.length === 1)
    abort.abort('why')
    await clock.pass(50)
    expect(seen).toMatchObject({ code: 'aborted' })
    expect(await outcome(ada.ask(BEN, 2))).toMatchObject({ value: 2 })
  })

  it('ends when the member leaves, and its handler is told when the asker does', async () => {
    let signal: AbortSignal | undefined
    ben.handle((_, context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    const bens = network.port(BEN)
    const seen = watch(ada.ask(BEN, 1))
    await clock.until(() => signal !== undefined)
    network.leave(BEN)
    await clock.pass(1)
    expect(seen).toMatchObject({ code: 'left' })
    expect(clock.pending()).toBe(0)
    bens.leave(ADA)
    expect(signal?.aborted).toBe(true)
  })

  it('ends when the ask itself was lost for good', async () => {
    network.loses = () => true
    expect(await outcome(ada.ask(BEN, 1))).toMatchObject({ code: 'left' })
    expect(clock.pending()).toBe(0)
  })

  it('ends with the room, and leaves nothing behind', async () => {
    let signal: AbortSignal | undefined
    ben.handle((_, context) => {
      signal = context.signal
      return new Promise(() => {})
    })
    const seen = watch(ada.ask(BEN, 1))
    await clock.until(() => signal !== undefined)
    ada.close()
    ben.close()
    await clock.pass(1)
    expect(seen).toMatchObject({ code: 'closed' })
    expect(signal?.aborted).toBe(true)
    expect(clock.pending()).toBe(0)
    expect(network.port(ADA).listeners + network.port(BEN).listeners).toBe(0)
    expect(await outcome(ada.ask(BEN, 1))).toMatchObject({ code: 'closed' })
  })

  it('holds an answer back while the queue is full, and sends it then', async () => {
    ben.handle((question) => question)
    network.port(BEN).full = true
    const seen = watch(ada.ask(BEN, 7))
    await clock.pass(500)
    expect(seen.done).toBe(false)
    network.port(BEN).full = false
    await clock.until(() => seen.done, 100)
    expect(seen.value).toBe(7)
  })

  it('is limited: the 1,025th ask rejects, and goes again when one has ended', async () => {
    ben.handle((question) => new Promise((resolve) => clock.setTimeout(() => resolve(question), 100)))
    const seen = Array.from({ length: 1_024 }, (_, number) => watch(ada.ask(BEN, number)))
    expect(await outcome(ada.ask(BEN, 1))).toMatchObject({ code: 'queue-full' })
    await clock.until(() => seen.every(({ done }) => done))
    expect(await outcome(ada.ask(BEN, 1))).toMatchObject({ value: 1 })
  })
})

describe('a hostile member', () => {
  it('cannot make more handlers run than the limit, also not by cancelling', async () => {
    let running = 0
    ben.handle(() => {
      running += 1
      return new Promise(() => {})
    })
    const port = network.port(CAT)
    for (let id = 0; id < 3_000; id += 1) {
      port.send(encodeCall(CALL.ask, id, 1), BEN)
      port.send(encodeCall(CALL.cancel, id), BEN)
      port.send(encodeCall(CALL.ask, 0, 1), BEN)
    }
    await clock.pass(20)
    expect(running).toBe(1_024)
    expect(decodeCall(network.port(BEN).sent[0]).kind).toBe(CALL.busy)
  })

  it('cannot make us hold more than 16 MiB of its questions', async () => {
    let running = 0
    ben.handle(() => {
      running += 1
      return new Promise(() => {})
    })
    for (let id = 0; id < 4; id += 1) network.port(CAT).send(encodeCall(CALL.ask, id, new Uint8Array(8_000_000)), BEN)
    await clock.pass(20)
    expect(running).toBe(2)
  })

  it('cannot answer for another, nor disturb with any bytes', async () => {
    ben.handle((question) => question)
    const seen = watch(ada.ask(BEN, 'right'))
    network.delayMs = 1
    network.port(CAT).send(encodeCall(CALL.answer, 1, 'wrong'), ADA)
    await clock.until(() => seen.done)
    expect(seen.value).toBe('right')
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 20 }), async (bytes) => {
        network.port(CAT).send(bytes, [ADA, BEN])
        network.port(CAT).send([1], [ADA, BEN])
        await clock.pass(2)
      }),
    )
    expect(await outcome(ada.ask(BEN, 'still'))).toMatchObject({ value: 'still' })
  })

  it('that answers with nonsense makes the ask reject with protocol', async () => {
    const seen = watch(ada.ask(BEN, 1))
    network.delayMs = 1
    network.port(BEN).send(new Uint8Array([CALL.answer << 4, 0, 0, 0, 1, 0x7b]), ADA)
    await clock.until(() => seen.done)
    expect(seen.code).toBe('protocol')
  })
})

describe('the wire', () => {
  it('has these bytes', () => {
    // kind ask, content json · id 258 · {"a":1}
    expect(Buffer.from(encodeCall(CALL.ask, 258, { a: 1 })).toString('hex')).toBe('00000001027b2261223a317d')
    // kind failed, content text · id 1 · no
    expect(Buffer.from(encodeCall(CALL.failed, 1, 'no')).toString('hex')).toBe('21000000016e6f')
    // kind cancel · id 1
    expect(Buffer.from(encodeCall(CALL.cancel, 1)).toString('hex')).toBe('3000000001')
  })

  it('lets a room refuse questions to a procedure that is not open', () => {
    const refused = refuseCall(encodeCall(CALL.ask, 9, 'x'))
    expect(decodeCall(refused)).toMatchObject({ kind: CALL.noHandler, id: 9 })
    expect(refuseCall(encodeCall(CALL.cancel, 9))).toBeUndefined()
    expect(refuseCall(new Uint8Array([1]))).toBeUndefined()
  })
})
