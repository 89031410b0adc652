import { type EngineName, type Listen, NetworkError } from './network.ts'
import { listenWithUws, loadUws } from './uws-engine.ts'
import { listenWithWs } from './ws-engine.ts'

export type EngineChoice = 'auto' | EngineName

export interface ChosenEngine {
  readonly listen: Listen
  readonly engine: EngineName
  /** Why the faster engine is not used, when `auto` had to fall back. */
  readonly fallbackReason?: string
}

/** @throws NetworkError `engine-missing` when `uws` was asked for and does not load; `auto` falls back to `ws` */
export async function chooseEngine(
  choice: EngineChoice,
  load: () => Promise<unknown> = loadUws,
): Promise<ChosenEngine> {
  if (choice === 'ws') return { listen: listenWithWs, engine: 'ws' }
  try {
    await load()
    return { listen: listenWithUws, engine: 'uws' }
  } catch (error) {
    if (choice === 'uws' || !(error instanceof NetworkError)) throw error
    return { listen: listenWithWs, engine: 'ws', fallbackReason: error.message }
  }
}
