import { describe, expect, it } from 'vitest'
import type { LinkMessage } from '../../../signaling/protocol/index.ts'
import { SlotPool } from '../../../web/client/paths/slots.ts'
import { ANY_PATH, OneSide, STUN_AND_TURN } from './one-side.ts'

const offer = (attempt: number, turn = false): LinkMessage => ({ t: 'offer', attempt, turn, sdp: `offer ${attempt}` })
const candidate = (attempt: number, text: string): LinkMessage => ({
  t: 'candidate',
  attempt,
  candidate: { candidate: text, sdpMid: '0', sdpMLineIndex: 0 },
})

async function started(options: Partial<ConstructorParameters<typeof OneSide>[0]> = {}): Promise<OneSide> {
  const side = new OneSide({ initiator: false, ...options })
  side.attempts.start()
  await side.pass(10)
  return side
}

async function up(options: Partial<ConstructorParameters<typeof OneSide>[0]> = {}): Promise<OneSide> {
  const side = await started(options)
  side.receive(offer(1))
  await side.pass(10)
  await side.become()
  return side
}

describe('an offer', () => {
  it('is answered, without TURN when it was made without', async () => {
    const side = await started()
    expect(side.attempts.why).toBe('waiting for the other side to connect')
    side.receive(offer(1))
    await side.pass(10)
    expect(side.words).toEqual(['answer 1'])
    expect(side.path.options).toMatchObject({ initiator: false, turn: false, iceTransportPolicy: 'all' })
    expect(side.path.options.iceServers).toEqual([{ urls: ['stun:stun.test:3478'] }])
  })

  it('made with TURN is answered with TURN', async () => {
    const side = await started()
    side.receive(offer(1, true))
    await side.pass(10)
    expect(side.path.options.iceServers).toEqual(STUN_AND_TURN)
  })

  it('made without TURN is answered with TURN by a side that may do nothing else', async () => {
    const side = await started({ policy: { ...ANY_PATH, iceTransportPolicy: 'relay' } })
    side.receive(offer(1))
    await side.pass(10)
    expect(side.path.options).toMatchObject({ iceTransportPolicy: 'relay', iceServers: STUN_AND_TURN })
  })

  it('made with TURN is answered without by a side that may not', async () => {
    const side = await started({ policy: { ...ANY_PATH, turn: false } })
    side.receive(offer(1, true))
    await side.pass(10)
    expect(side.path.options.iceServers).toEqual([{ urls: ['stun:stun.test:3478'] }])
  })

  it('that comes before the start starts', async () => {
    const side = new OneSide({ initiator: false })
    side.receive(offer(1))
    await side.pass(10)
    expect(side.words).toEqual(['answer 1'])
  })

  it('of an old attempt is dropped; a newer one replaces the attempt under way', async () => {
    const side = await started()
    side.receive(offer(3))
    await side.pass(1_000)
    side.receive(offer(2), offer(3))
    await side.pass(1_000)
    expect(side.words).toEqual(['answer 3'])
    side.receive(offer(4, true))
    await side.pass(10)
    expect(side.words).toEqual(['answer 3', 'answer 4'])
    expect(side.paths.map(({ closed }) => closed)).toEqual([true, false])
  })

  it('while a path is in use is answered beside it', async () => {
    const side = await up()
    await side.pass(1_000)
    side.receive(offer(2))
    await side.pass(10)
    expect(side.inUse?.attempt).toBe(1)
    side.receive(offer(3))
    await side.pass(1_000)
    expect(side.paths.map(({ closed, attempt }) => `${attempt} ${closed}`)).toEqual(['1 false', '2 true', '3 false'])
    await side.become()
    expect(side.inUse?.attempt).toBe(3)
    await side.pass(2_100)
    expect(side.paths[0]?.closed).toBe(true)
  })

  it('is answered at a bounded rate: the newest counts', async () => {
    const side = await started()
    for (let attempt = 1; attempt <= 100; attempt += 1) {
      side.receive(offer(attempt))
      await side.pass(20)
    }
    await side.pass(1_000)
    expect(side.paths.length).toBeLessThanOrEqual(6)
    expect(side.path.attempt).toBe(100)
  })

  it('is refused, each time, where there is no WebRTC', async () => {
    const side = await started({ connect: undefined })
    side.receive(offer(1))
    expect(side.words).toEqual(['relay-only', 'relay-only'])
  })

  it('revives a side that was told that the other does not do WebRTC', async () => {
    const side = await started()
    side.receive({ t: 'relay-only' }, offer(1))
    await side.pass(10)
    expect(side.words).toEqual(['answer 1'])
  })
})

describe('candidates', () => {
  it('that come with or just before their offer are held for it; others are dropped', async () => {
    const side = await started()
    side.receive(
      candidate(1, 'early'),
      candidate(2, 'far too early'),
      offer(1),
      candidate(1, 'with'),
      candidate(0, 'old'),
    )
    await side.pass(10)
    side.receive(candidate(1, 'after'))
    expect(side.path.accepted.map(({ t }) => t)).toEqual(['offer', 'candidate', 'candidate', 'candidate'])
    expect(side.path.candidates).toEqual(['early', 'with', 'after'])
  })

  it('are held up to a bound', async () => {
    const side = await started()
    for (let index = 0; index < 1_000; index += 1) side.receive(candidate(1, `${index}`))
    side.receive(offer(1))
    await side.pass(10)
    expect(side.path.candidates).toHaveLength(64)
  })

  it('of a replaced attempt do not reach the new one', async () => {
    const side = await started()
    side.receive(offer(1))
    await side.pass(1_000)
    side.receive(offer(2), candidate(1, 'old'), candidate(2, 'new'))
    await side.pass(10)
    expect(side.path.candidates).toEqual(['new'])
  })
})

describe('asking', () => {
  it('happens when the first offer does not come', async () => {
    const side = await started()
    await side.pass(9_900)
    expect(side.words).toEqual([])
    await side.pass(800)
    expect(side.words).toEqual(['ask 0'])
    expect(side.attempts.why).toBe('asked the other side to connect again')
  })

  it('goes on, more and more rarely', async () => {
    const side = await started({ random: () => 0.999 })
    await side.pass(600_000)
    expect(side.words.length).toBeGreaterThan(8)
    expect(side.words.length).toBeLessThan(15)
  })

  it('names the attempt that failed, after a random part of a second', async () => {
    const side = await started()
    side.receive(offer(7))
    await side.pass(10)
    side.path.fail()
    expect(side.attempts.why).toBe('the attempt failed (ICE failed): trying again in 1 s')
    await side.pass(600)
    expect(side.words).toEqual(['answer 7', 'ask 7'])
  })

  it('ends an attempt of which nothing more is heard', async () => {
    const side = await started()
    side.receive(offer(1))
    await side.pass(11_900)
    expect(side.state).toBe('connecting')
    await side.pass(200)
    expect(side.path.closed).toBe(true)
    expect(side.attempts.why).toBe('no direct path after 12 s: trying again in 1 s')
    await side.pass(600)
    expect(side.words).toEqual(['answer 1', 'ask 1'])
  })

  it('follows a lost path, and at once a change of the network', async () => {
    const side = await up()
    await side.pass(1_000)
    side.attempts.networkChanged()
    expect(side.words).toEqual(['answer 1', 'ask 1'])
    expect(side.inUse?.attempt).toBe(1)
    side.path.fail()
    expect(side.inUse).toBeUndefined()
    await side.pass(10_600)
    expect(side.words).toEqual(['answer 1', 'ask 1', 'ask 1'])
  })

  it('in vain, the path in use stays', async () => {
    const side = await up()
    side.attempts.networkChanged()
    await side.pass(60_000)
    expect(side.words).toEqual(['answer 1', 'ask 1'])
    expect(side.state).toBe('up')
    expect(side.inUse?.attempt).toBe(1)
  })
})

describe('slots', () => {
  it('all taken: the offer is refused, and the other side told when one is free', async () => {
    const slots = new SlotPool(1)
    const other = slots.take()
    const side = await started({ slots })
    side.receive(offer(1))
    expect(side.words).toEqual(['full 1'])
    expect(side.attempts.why).toBe("this side's limit of 1 direct peers is reached")
    other?.release()
    expect(side.words).toEqual(['full 1', 'slot'])
    expect(slots.used).toBe(1)
    side.receive(offer(2))
    await side.pass(10)
    expect(side.words).toEqual(['full 1', 'slot', 'answer 2'])
  })

  it('offered and not used are given back', async () => {
    const slots = new SlotPool(1)
    const other = slots.take()
    const side = await started({ slots })
    side.receive(offer(1))
    other?.release()
    await side.pass(9_900)
    expect(slots.used).toBe(1)
    await side.pass(200)
    expect(slots.used).toBe(0)
    expect(side.state).toBe('waiting')
  })

  it('offered, and then the other side is full: given back, and nothing is asked until it says so', async () => {
    const slots = new SlotPool(1)
    const other = slots.take()
    const side = await started({ slots })
    side.receive(offer(1))
    other?.release()
    side.receive({ t: 'full', attempt: 2 })
    expect(slots.used).toBe(0)
    expect(side.attempts.why).toBe("the other side's limit of direct peers is reached")
    await side.pass(20_000)
    expect(side.words).toEqual(['full 1', 'slot'])
    side.receive({ t: 'slot' })
    expect(side.state).toBe('expecting')
    side.receive(offer(2))
    await side.pass(10)
    expect(side.words).toEqual(['full 1', 'slot', 'answer 2'])
  })

  it('keep their place in line however often an offer is refused', async () => {
    const slots = new SlotPool(1)
    const other = slots.take()
    const first = await started({ slots })
    const second = await started({ slots })
    first.receive(offer(1))
    second.receive(offer(1))
    first.receive(offer(2))
    expect(first.words).toEqual(['full 1', 'full 2'])
    expect(slots.waiting).toBe(2)
    other?.release()
    expect(first.words).toEqual(['full 1', 'full 2', 'slot'])
    expect(second.words).toEqual(['full 1'])
  })

  it('are needed to ask, too', async () => {
    const slots = new SlotPool(1)
    const other = slots.take()
    const side = await started({ slots })
    await side.pass(11_000)
    expect(side.state).toBe('full-here')
    expect(side.words).toEqual([])
    other?.release()
    expect(side.words).toEqual(['ask 0'])
  })

  it('are left for others while nothing is under way', async () => {
    const slots = new SlotPool(1)
    const side = await up({ slots })
    expect(slots.used).toBe(1)
    side.path.fail()
    expect(slots.used).toBe(0)
  })

  it('in line when the link ends: the line goes on without it', async () => {
    const slots = new SlotPool(1)
    const other = slots.take()
    const side = await started({ slots })
    side.receive(offer(1))
    side.attempts.stop()
    expect(slots.waiting).toBe(0)
    other?.release()
    expect(slots.used).toBe(0)
  })
})

describe('the numbering side and slots', () => {
  it('says full, waits in line, and offers when a slot is free', async () => {
    const slots = new SlotPool(1)
    const other = slots.take()
    const side = await started({ initiator: true, slots })
    expect(side.words).toEqual(['full 1'])
    side.receive({ t: 'ask', replaces: 0 })
    expect(side.words).toEqual(['full 1', 'full 1'])
    other?.release()
    await side.pass(10)
    expect(side.words).toEqual(['full 1', 'full 1', 'offer 1'])
  })

  it('refused as full, leaves its slot to others and waits for `slot`', async () => {
    const slots = new SlotPool(1)
    const side = await started({ initiator: true, slots })
    side.receive({ t: 'full', attempt: 9 })
    expect(side.state).toBe('connecting')
    side.receive({ t: 'full', attempt: 1 })
    expect(side.path.closed).toBe(true)
    expect(slots.used).toBe(0)
    expect(side.attempts.why).toBe("the other side's limit of direct peers is reached")
    await side.pass(20_000)
    side.receive({ t: 'slot' })
    await side.pass(10)
    expect(side.words).toEqual(['offer 1', 'offer 2'])
  })

  it('refused as full, tries again within a minute even if nobody says `slot`', async () => {
    const side = await started({ initiator: true })
    side.receive({ t: 'full', attempt: 1 })
    await side.pass(60_000)
    expect(side.words[1]).toBe('offer 2')
  })
})
