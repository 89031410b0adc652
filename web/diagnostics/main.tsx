import { render } from 'preact'
import '../ui/styles/index.css'
import './diagnostics.css'
import { siteRoot } from '../ui/site-address.ts'
import { DiagnosticsPage } from './DiagnosticsPage.tsx'
import { observeIceServers } from './ice-observer.ts'

const root = siteRoot(location.href, '../')
// Before the client is loaded: it may take hold of RTCPeerConnection as soon as it is there.
const iceServers = observeIceServers(globalThis)
render(
  <DiagnosticsPage root={root} iceServers={iceServers} load={() => import('partyline')} />,
  document.getElementById('app') ?? document.body,
)
