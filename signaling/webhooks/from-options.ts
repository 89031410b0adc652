import { randomFillSync } from 'node:crypto'
import { systemClock } from '../clock.ts'
import type { DataFolder } from '../data-folder.ts'
import type { Log } from '../log.ts'
import type { ServerOptions } from '../options/table.ts'
import { WEBHOOK_EVENTS } from './events.ts'
import { Webhooks } from './webhooks.ts'

/** What signs. @throws DataFolderError */
export function webhookSecrets({ webhookSecret }: ServerOptions, folder: DataFolder): readonly string[] {
  return webhookSecret.length > 0 ? webhookSecret : [folder.secret('webhook-secret')]
}

/** Undefined when nobody wants to be told. @throws DataFolderError */
export function webhooksFromOptions(options: ServerOptions, folder: DataFolder, log: Log): Webhooks | undefined {
  const { webhookUrl, webhookEvents } = options
  if (webhookUrl === undefined) return undefined
  const wanted = WEBHOOK_EVENTS.filter((event) => webhookEvents.length === 0 || webhookEvents.includes(event))
  return new Webhooks({
    url: webhookUrl,
    events: new Set(wanted),
    secrets: webhookSecrets(options, folder),
    clock: systemClock,
    random: (bytes) => void randomFillSync(bytes),
    fetch,
    log,
  })
}
