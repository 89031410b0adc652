/**
 * All that it takes to reach others directly. In the bundle this is a file of its own, which joining does not wait for:
 * the relay carries until it is there.
 */
import { connectPeer } from './peer-connection.ts'
import { RoomPaths } from './room-paths.ts'
import { loadWebRtc } from './webrtc.ts'

export type MakeRoomPaths = (maxDirectPeers: number) => RoomPaths

/** Of this browser, or this Node. Never rejects. */
export async function loadDirectPaths(): Promise<MakeRoomPaths> {
  const connect = (await loadWebRtc()) ? connectPeer : undefined
  return (maxDirectPeers) => new RoomPaths(connect, maxDirectPeers)
}
