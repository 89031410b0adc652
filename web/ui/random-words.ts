const QUALITIES =
  'amber brave bright calm clever coral cosy crisp early easy fair fast fond fresh gentle glad gold grand happy honest jolly kind lively lucky lunar mellow merry mild neat noble plucky quick quiet rosy shy silver sunny swift tidy warm witty young'.split(
    ' ',
  )
const CREATURES =
  'badger beaver bison crane deer dolphin falcon ferret finch fox gecko hare hedgehog heron ibis jay koala lark lemur lynx magpie marten mole moose newt otter owl panda puffin quail raven robin seal shrew sparrow stoat swan tapir toad vole weasel wren'.split(
    ' ',
  )

/** A whole number from 0 up to, not including, `below`. */
export type RandomBelow = (below: number) => number

/** The browser's random numbers; fine for suggestions, where a bias of one in millions is of no matter. */
export const browserRandomBelow: RandomBelow = (below) => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % below

const pick = (words: readonly string[], random: RandomBelow): string => words[random(words.length)] ?? ''

/** A room name that is easy to say on the telephone, such as `amber-otter-42`. */
export const suggestRoomName = (random: RandomBelow): string =>
  `${pick(QUALITIES, random)}-${pick(CREATURES, random)}-${10 + random(90)}`

/** A name for somebody who has not given one, such as `Quiet Heron`. */
export function suggestPersonName(random: RandomBelow): string {
  const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
  return `${capital(pick(QUALITIES, random))} ${capital(pick(CREATURES, random))}`
}
