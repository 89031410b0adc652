/** Why the lab cannot run here; `undefined` when it can. */
export const labObstacle: string | undefined =
  process.platform !== 'linux'
    ? 'network namespaces are of Linux'
    : process.getuid?.() === 0
      ? undefined
      : 'network namespaces need root: sudo npm run test:nat'
