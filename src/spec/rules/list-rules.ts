import { mergedLists, setLists } from '../source/list-keys.ts'
import type { Finding } from '../source/finding.ts'
import type { Path } from '../source/positioned-node.ts'
import type { DocumentView } from './document-view.ts'

/** These lists have sentences of their own for it. */
const toldElsewhere = ['spec.env', 'spec.rollout.requires']

/** Two items of one key are one item to an overlay and to a cluster: nobody could say which of them counts. */
export function checkListKeys(view: DocumentView): Finding[] {
  const keyed = Object.entries(mergedLists).filter(([list]) => !toldElsewhere.includes(list))
  return [
    ...keyed.flatMap(([list, key]) => findDoubles(view, list.split('.'), [key])),
    ...setLists.flatMap((list) => findDoubles(view, list.split('.'), [])),
  ]
}

function findDoubles(view: DocumentView, list: Path, key: Path): Finding[] {
  const seen = new Set<string>()
  return [...view.listAt(...list).keys()].flatMap((index): Finding[] => {
    const path = [...list, index, ...key]
    const text = view.textAt(...path)
    if (text === undefined) return []
    const isDouble = seen.has(text)
    seen.add(text)
    if (!isDouble) return []
    const message = `\`${text}\` is already in \`${list.slice(1).join('.')}\`; remove one of the two`
    return [{ code: 'TL_SPEC_DUPLICATE_ITEM', path, message }]
  })
}
