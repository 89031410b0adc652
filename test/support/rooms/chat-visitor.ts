import type { Locator, Page } from 'playwright'
import { testIds } from '../../../web/ui/test-ids.ts'

const WAIT_MS = 30_000

/** Somebody on the chat page, who does and sees what people do and see. */
export class ChatVisitor {
  readonly page: Page
  readonly name: string

  constructor(page: Page, name: string) {
    this.page = page
    this.name = name
    page.setDefaultTimeout(WAIT_MS)
  }

  get messages(): Locator {
    return this.page.getByTestId(testIds.message)
  }

  get status(): Locator {
    return this.page.getByTestId(testIds.roomStatus)
  }

  async online(): Promise<void> {
    await this.statusIs('online')
  }

  async statusIs(status: 'joining' | 'online' | 'reconnecting' | 'closed'): Promise<void> {
    await this.page.locator(`[data-testid=${testIds.roomStatus}][data-status=${status}]`).waitFor()
  }

  async say(text: string): Promise<void> {
    await this.page.getByTestId(testIds.messageInput).fill(text)
    await this.page.keyboard.press('Enter')
  }

  /** Resolves when a message with this text is shown, with how many there are. */
  async sees(text: string): Promise<number> {
    const found = this.page.getByTestId(testIds.messageText).getByText(text, { exact: true })
    await found.first().waitFor()
    return found.count()
  }

  async seesNotice(text: string | RegExp): Promise<void> {
    await this.page.getByTestId(testIds.notice).filter({ hasText: text }).first().waitFor()
  }

  /** Others in the list of members. */
  member(name: string): Locator {
    return this.page
      .getByTestId(testIds.member)
      .filter({ has: this.page.getByTestId(testIds.memberName).getByText(name, { exact: true }) })
  }

  async seesMembers(count: number): Promise<void> {
    await this.page.waitForFunction(
      ([id, wanted]) => document.querySelectorAll(`[data-testid=${id}]`).length === wanted,
      [testIds.member, count] as const,
    )
  }

  async seesPath(name: string, path: 'direct' | 'turn' | 'relay' | 'none'): Promise<void> {
    await this.member(name).locator(`[data-testid=${testIds.pathBadge}][data-path=${path}]`).waitFor()
  }

  /** Own messages that are not said to be delivered. */
  async undelivered(): Promise<string[]> {
    return this.page
      .locator(`[data-testid=${testIds.message}][data-own=true]:not([data-delivery=delivered])`)
      .allInnerTexts()
  }

  /** Resolves when every message of one's own is said to be delivered. */
  async seesAllDelivered(): Promise<void> {
    await this.page.waitForFunction(
      (id) => document.querySelector(`[data-testid=${id}][data-own=true]:not([data-delivery=delivered])`) === null,
      testIds.message,
    )
  }
}
