import { minify as terser } from 'terser'
import { parseSync, Visitor } from 'vite'
import { namesToShorten } from './names.mjs'

/** @typedef {import('vite').Plugin} Plugin */

/**
 * What the client's build does beyond vite's own: it has forty kB for everything, simple-peer among it. Every step says
 * where its lines came from, so the source map stays true.
 */

/**
 * Constants of the modules are frozen objects. In the bundle nobody can reach them, and one that is not frozen is only
 * the numbers in it: 0.7 kB gzipped.
 * @type {Plugin}
 */
const inlinedConstants = {
  name: 'inlined-constants',
  transform(code, id) {
    if (!/\/(web\/client|signaling\/protocol)\/.*\.ts(\?|$)/.test(id)) return undefined
    return { code: code.replaceAll('Object.freeze(', '             ('), map: null }
  },
}

/**
 * What simple-peer does for its stream, for its `connect` event, for media, for negotiating again and for a debugger: a
 * path has its own channels, opens and reads statistics by itself, trickles, and is negotiated once. It would poll for
 * nothing, too.
 */
const unusedMethods = [
  'get bufferSize',
  'get connected',
  'address',
  'send',
  '_final',
  '_write',
  '_onFinish',
  '_startIceCompleteTimeout',
  'getStats',
  '_maybeReady',
  '_onInterval',
  '_onSignalingStateChange',
  '_onChannelMessage',
  '_onChannelBufferedAmountLow',
  '_onChannelOpen',
  '_debug',
]

/** By how they begin: each ends with the bracket below its first letter, or with its line. */
const unusedStatements = [
  'this.__objectMode =',
  'this._id =',
  'this.offerOptions =',
  'this.answerOptions =',
  'this.sdpTransform =',
  'this.allowHalfTrickle =',
  'this.iceCompleteTimeout =',
  'this._connected =',
  'this.remoteAddress =',
  'this.remoteFamily =',
  'this.remotePort =',
  'this.localAddress =',
  'this.localFamily =',
  'this.localPort =',
  'if (!RTCPeerConnection) {',
  'this._pcReady =',
  'this._channelReady =',
  'this._iceCompleteTimer =',
  'this._sendersAwaitingStable =',
  'this._closingInterval = null',
  'this._remoteTracks =',
  'this._remoteStreams =',
  'this._senderMap =',
  'this._chunk =',
  'this._cb =',
  'this._interval =',
  'clearInterval(this._interval)',
  'this._isReactNativeWebrtc =',
  'this._pc.onsignalingstatechange =',
  'this._pc.ontrack =',
  'this._onFinishBound =',
  'if (this._onFinishBound)',
  "this.once('finish'",
  "else this.once('_iceComplete'",
  "if (typeof data === 'string') {",
  'if (data.renegotiate && this.initiator) {',
  'if (data.transceiverRequest && this.initiator) {',
  'if (!data.sdp && !data.candidate && ',
  'if (!this.trickle && !this.allowHalfTrickle)',
  'offer.sdp = this.sdpTransform(',
  'answer.sdp = this.sdpTransform(',
  'if (!this.initiator) this._requestMissingTransceivers',
  "if (this._connected) this.emit('disconnect')",
  "this.emit('iceStateChange'",
  "if (typeof this._channel.bufferedAmountLowThreshold === 'number') {",
  'this._channel.onmessage =',
  'this._channel.onbufferedamountlow =',
  'this._channel.onopen =',
  'Peer.WEBRTC_SUPPORT =',
  // Other people's STUN servers, where none are given.
  'Peer.config =',
]

/** @param {string} text */
const literally = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** As many lines as before, so that the source map stays true. @param {string} text */
const onlyLines = (text) => text.replace(/[^\n]+/g, '')

/** @type {Plugin} */
export const lessSimplePeer = {
  name: 'less-simple-peer',
  transform(code, id) {
    if (!/\/simple-peer\/lite\.js(\?|$)/.test(id)) return undefined
    let rest = code.replaceAll('\r\n', '\n')
    /** @param {string} start @param {RegExp} pattern @param {(found: string) => string} change */
    const cut = (start, pattern, change) => {
      if (rest.search(pattern) < 0) this.error(`simple-peer has no ${start} any more`)
      rest = rest.replace(pattern, change)
    }
    for (const method of unusedMethods) {
      const kept = method.startsWith('get ') ? '' : `  ${method} () {}`
      const body = new RegExp(`^  ${literally(method)} \\(.*?^  \\}$`, 'ms')
      cut(method, body, (found) => kept + onlyLines(found))
    }
    for (const start of unusedStatements) {
      const line = start.endsWith('{') ? '' : '(.*[^{\\n])?$|'
      cut(start, new RegExp(`^( *)${literally(start)}(${line}[^]*?^\\1\\}$)`, 'gm'), onlyLines)
    }
    return { code: rest, map: null }
  },
}

/**
 * Fields that are declared and not set: assigning to them makes them just as well, and no class of ours declares one that
 * its base has set.
 * @param {string} code
 */
function withoutUnsetFields(code) {
  let rest = code
  /** @param {import('vite').ESTree.PropertyDefinition} field */
  const blank = ({ value, key, start, end }) => {
    if (value === null && key.type === 'Identifier')
      rest = rest.slice(0, start) + ' '.repeat(end - start) + rest.slice(end)
  }
  new Visitor({ PropertyDefinition: blank }).visit(parseSync('chunk.js', code).program)
  return rest
}

/**
 * What is constructed most often, under names as short as any other of ours. Under its own, it is also known to be pure,
 * which the bundler would say in a comment at every call. The first line of a chunk is nobody's.
 * @param {string} code
 */
function withShortConstructors(code) {
  /** @type {Set<string>} */
  const used = new Set()
  const rest = code.replace(/\bnew (Map|Set|WeakMap|Uint8Array)\b/g, (_, /** @type {string} */ name) => {
    used.add(name)
    return `new ${shortened(name)}`
  })
  return used.size === 0 ? code : `const ${[...used].map((name) => `${shortened(name)} = ${name}`)};${rest}`
}

/** As long as before, so that the source map stays true. @param {string} name */
const shortened = (name) => `$${name.slice(1)}`

/** simple-peer's own `_names`, and those that only our own code knows: the same in all chunks. */
function shortNames() {
  const { names, taken } = namesToShorten()
  const regex = new RegExp(`^(_[a-zA-Z]\\w*|${names.join('|')})$`)
  /** Terser writes into it. */
  const mangle = () => ({ properties: { regex, reserved: taken } })
  /** What has been given to whom so far. */
  let properties = {}
  /** In their order, from the shortest on. */
  const giveNames = async () => {
    const nameCache = { vars: {}, props: properties }
    await terser(`let all = {${names.map((name) => `${name}: 0`)}}`, { compress: false, nameCache, mangle: mangle() })
    properties = nameCache.props
  }
  /** Chunks take turns. @type {Promise<unknown> | undefined} */
  let before
  /** @param {string} code */
  const minified = async (code) => {
    const nameCache = { vars: {}, props: properties }
    const { code: smaller = code, map } = await terser(withShortConstructors(withoutUnsetFields(code)), {
      module: true,
      ecma: 2020,
      nameCache,
      compress: {
        passes: 3,
        pure_getters: true,
        // The bundler's own, which comes after this, does it shorter.
        conditionals: false,
        if_return: false,
        hoist_props: false,
        reduce_funcs: false,
        hoist_funs: true,
        unsafe_arrows: true,
        unsafe_methods: true,
        // Of what this allows, it finds texts put together from others.
        unsafe: true,
        // Statements of their own compress better than one long one.
        sequences: false,
        // What was emptied above need not be called either, as far as its name is nobody else's.
        pure_funcs: unusedMethods.filter((name) => name.startsWith('_')).map((name) => `this.${name}`),
      },
      mangle: mangle(),
      // Bundlers are to leave alone what is loaded under Node only.
      format: { comments: /webpackIgnore|@vite-ignore/ },
      sourceMap: { asObject: true },
    })
    properties = nameCache.props
    return { code: smaller, map: /** @type {import('rolldown').ExistingRawSourceMap} */ (map) }
  }
  /** @type {Plugin} */
  const plugin = {
    name: 'short-names',
    renderChunk(code) {
      before ??= giveNames()
      const done = before.then(() => minified(code))
      before = done.catch(() => undefined)
      return done
    },
  }
  return plugin
}

/** For the library: with names as short as they can be. */
export const smallest = () => [inlinedConstants, shortNames()]
