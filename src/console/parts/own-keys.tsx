import { createContext, type VNode } from 'preact'
import { useContext } from 'preact/hooks'
import { keyNow, type Preferences } from '../preference-rule.ts'

/** Which keys whoever looks has moved; pages name a key by the one that it usually is. */
export const OwnKeys = createContext<Preferences['keys']>({})

export const useKey = (usual: string): string => keyNow(useContext(OwnKeys), usual)

/** Beside what the key presses. */
export const KeyHint = ({ usual }: { usual: string }): VNode => (
  <span class="key" aria-hidden="true">
    {useKey(usual)}
  </span>
)
