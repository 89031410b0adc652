/**
 * The `data-testid` values and `data-` attributes that browser tests rely on: stable, declared here and nowhere else.
 *
 * Attributes beside the ids:
 * - `data-status` on `roomStatus`: `joining`, `online`, `reconnecting` or `closed`
 * - `data-peer` on `member`, `message` and `file`: the member's id; `data-presence` on `member`: `here` or `away`,
 *   `data-identity` there when it shows one
 * - `data-path` on `pathBadge`: `direct`, `turn`, `relay` or `none`; `data-rtt`: ms, whole, empty until measured
 * - `data-delivery` on `message` when it is one's own: `sending`, `sent`, `delivered`, `missed`, `nobody`, `kept` or `failed`
 * - `data-own` on `message` and `file`: `true` or `false`
 * - `data-state` on `file`: `offered`, `receiving`, `received`, `saved`, `declined`, `withdrawn`, `failed`, `offering`
 * - `data-bytes` and `data-total` on `transferProgress`; `data-receiver` (a member's id) and `data-state`
 *   (`running`, `done`, `failed`, `declined`) on `fileReceiver`
 * - `data-sealing` on `lock`: `secret`, `link` or `open`; `data-refused` there: how many refusals there were
 * - `data-lock` on `startLock` choices: `secret`, `password` or `none`; `data-verified` on `safetyNumber`: `true` or `false`
 * - `data-reason` on `secretForm`: `wrong`, `damaged` or `password`; `data-code` on `refusal`: the code of its error
 * - `data-room` on `adminRoom`: the room's name; `data-peer` on `adminMember`: the member's id
 * - `data-verdict` on `check` and on `diagnosticsVerdict`: `running`, `good`, `poor`, `bad` or `skipped`;
 *   `data-check` on `check`: its id
 *
 * The name lives in localStorage under `partyline.name`, the theme under `partyline.theme`.
 */
export const testIds = Object.freeze({
  // Every page
  themeToggle: 'theme-toggle',
  insecureNotice: 'insecure-notice',
  // Start page
  startName: 'start-name',
  startRoom: 'start-room',
  startSuggest: 'start-suggest',
  startEnter: 'start-enter',
  startLock: 'start-lock',
  startLockHint: 'start-lock-hint',
  startPassword: 'start-password',
  shareLink: 'share-link',
  copyLink: 'copy-link',
  nativeShare: 'native-share',
  // Chat page
  roomName: 'room-name',
  roomStatus: 'room-status',
  statusBanner: 'status-banner',
  closedNotice: 'closed-notice',
  joinAgain: 'join-again',
  leave: 'leave',
  openShare: 'open-share',
  openMembers: 'open-members',
  messageList: 'message-list',
  message: 'message',
  messageText: 'message-text',
  messageAuthor: 'message-author',
  messageDelivery: 'message-delivery',
  notice: 'notice',
  unreadMarker: 'unread-marker',
  newMessages: 'new-messages',
  earlierMessages: 'earlier-messages',
  typing: 'typing',
  messageInput: 'message-input',
  messageExcess: 'message-excess',
  send: 'send',
  fileInput: 'file-input',
  attach: 'attach',
  dropZone: 'drop-zone',
  members: 'members',
  member: 'member',
  selfRow: 'self-row',
  memberName: 'member-name',
  pathBadge: 'path-badge',
  rename: 'rename',
  renameInput: 'rename-input',
  renameSave: 'rename-save',
  // Sealing
  lock: 'lock',
  lockDialog: 'lock-dialog',
  lockMeaning: 'lock-meaning',
  openRoomWarning: 'open-room-warning',
  makePrivate: 'make-private',
  goPrivate: 'go-private',
  dismissWarning: 'dismiss-warning',
  refusal: 'refusal',
  keepIdentity: 'keep-identity',
  secretForm: 'secret-form',
  secretInput: 'secret-input',
  secretEnter: 'secret-enter',
  safetyNumber: 'safety-number',
  safetyVerify: 'safety-verify',
  verifiedMark: 'verified-mark',
  alteredMark: 'altered-mark',
  // Files
  file: 'file',
  fileName: 'file-name',
  fileAccept: 'file-accept',
  fileDecline: 'file-decline',
  fileCancel: 'file-cancel',
  fileWithdraw: 'file-withdraw',
  fileDownload: 'file-download',
  filePreview: 'file-preview',
  fileReceiver: 'file-receiver',
  transferProgress: 'transfer-progress',
  // Connection panel
  connectionPanel: 'connection-panel',
  connectionFact: 'connection-fact',
  roundTripPlot: 'round-trip-plot',
  // Diagnostics page
  check: 'check',
  diagnosticsVerdict: 'diagnostics-verdict',
  runAgain: 'run-again',
  report: 'report',
  copyReport: 'copy-report',
  // Admin page
  adminKey: 'admin-key',
  adminEnter: 'admin-enter',
  adminRefused: 'admin-refused',
  adminLeave: 'admin-leave',
  adminTrouble: 'admin-trouble',
  adminFacts: 'admin-facts',
  adminPlot: 'admin-plot',
  adminRoomSearch: 'admin-room-search',
  adminRefresh: 'admin-refresh',
  adminRoom: 'admin-room',
  adminRoomDialog: 'admin-room-dialog',
  adminMember: 'admin-member',
  adminRemove: 'admin-remove',
  adminCloseRoom: 'admin-close-room',
  adminBack: 'admin-back',
  adminNext: 'admin-next',
} as const)
