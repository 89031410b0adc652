import { useEffect, useState } from 'preact/hooks'

/** An address for a blob, taken back when the component goes or the blob is another. */
export function useObjectUrl(content: Blob | undefined): string | undefined {
  const [address, setAddress] = useState<string | undefined>(undefined)
  useEffect(() => {
    if (content === undefined) {
      setAddress(undefined)
      return
    }
    const made = URL.createObjectURL(content)
    setAddress(made)
    return () => URL.revokeObjectURL(made)
  }, [content])
  return address
}
