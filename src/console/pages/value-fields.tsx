import type { ComponentChildren, VNode } from 'preact'
import { MEDIA_ALGORITHM } from '../../signals/schema.ts'
import { typeLabel } from '../words.ts'

/** What a tab can make keys of without a participant's own key. */
const IN_TAB = ['url', 'domain', 'media_hash'] as const

/**
 * What a script turns into keys, within the form `search`: the field of the value has no name, and so is never sent.
 * `more`: further choices of what it is; `keyName`: the key that leads to the value.
 */
export const ValueFields = ({ more, keyName }: { more?: ComponentChildren; keyName?: string }): VNode => (
  <>
    <div class="field">
      <label for="type">What it is</label>
      <select id="type" name="type" class="input">
        {IN_TAB.map((type) => (
          <option key={type} value={type}>
            {typeLabel(type)}
          </option>
        ))}
        {more}
      </select>
    </div>
    <div class="field" data-in-tab>
      <label for="algorithm">Algorithm</label>
      <select id="algorithm" class="input">
        {MEDIA_ALGORITHM.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </div>
    <div class="field" data-in-tab>
      <label for="value">Value</label>
      <input
        type="text"
        id="value"
        class="input"
        autoComplete="off"
        spellcheck={false}
        aria-describedby="value-hint"
        data-key={keyName}
      />
      <p class="hint" id="value-hint">
        Normalised and hashed in this tab; the value itself is not sent, and is cleared when you leave the field.
      </p>
    </div>
  </>
)
