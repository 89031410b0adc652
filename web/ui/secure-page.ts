export interface PageSecurity {
  readonly isSecureContext: boolean
  readonly hasSubtleCrypto: boolean
  readonly hostname: string
  readonly port: string
}

export const securityOfThisPage = (): PageSecurity => ({
  isSecureContext: globalThis.isSecureContext,
  hasSubtleCrypto: globalThis.crypto?.subtle !== undefined,
  hostname: location.hostname,
  port: location.port,
})

/** What to do about a page that browsers do not trust with cryptography; `undefined` when all is well. */
export function adviceForInsecurePage(page: PageSecurity): readonly string[] | undefined {
  if (page.isSecureContext && page.hasSubtleCrypto) return undefined
  if (page.isSecureContext) return ['This browser has no Web Cryptography. Use a current Chromium, Firefox or Safari.']
  const port = page.port === '' ? '' : `:${page.port}`
  return [
    `On the machine that runs the server, open http://localhost${port}/ instead.`,
    `For other machines, start the server with a certificate (--tls-cert and --tls-key), or with --tls self-signed on a home or office network, and open https://${page.hostname}${port}/.`,
  ]
}
