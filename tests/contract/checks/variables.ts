/**
 * Facts about variables, collections, modes and plugin data.
 *
 * Owns these checks. Must not know which host runs them, and leaves the file as it found it.
 */

import { type Check, equal, ok, rejects, throws } from './check.ts';

const DYNAMIC_PAGE = /Cannot call with documentAccess: dynamic-page/;
const MISMATCH = /Mismatched variable resolved type for mode/;

/** One value of each type. */
const VALUES: [VariableResolvedDataType, VariableValue][] = [
  ['BOOLEAN', true],
  ['COLOR', { r: 0.5, g: 0.25, b: 0.125, a: 0.5 }],
  ['FLOAT', 1.5],
  ['STRING', 'Inter'],
];

const only = (collection: VariableCollection): string => collection.defaultModeId;
const make = (collection: VariableCollection, name: string, type: VariableResolvedDataType): Variable =>
  figma.variables.createVariable(name, collection, type);
const value = (variable: Variable, collection: VariableCollection): VariableValue | undefined =>
  variable.valuesByMode[only(collection)];

export const variableChecks: Check[] = [
  // The dynamic-page rules.
  ...(
    [
      ['getLocalVariables', () => figma.variables.getLocalVariables()],
      ['getLocalVariableCollections', () => figma.variables.getLocalVariableCollections()],
      ['getVariableById', () => figma.variables.getVariableById('VariableID:1:1')],
      ['getVariableCollectionById', () => figma.variables.getVariableCollectionById('VariableCollectionId:1:1')],
    ] as [string, () => unknown][]
  ).map(
    ([name, call]): Check => ({
      name: `${name} throws and names its asynchronous sister`,
      source: 'documented',
      run: () => throws(call, new RegExp(`^in ${name}: ${DYNAMIC_PAGE.source}.*${name}Async`)),
    }),
  ),
  {
    name: 'createVariable takes the collection and refuses its id',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      throws(() => figma.variables.createVariable('by id', made.id, 'FLOAT'));
      equal(made.variableIds, []);
    },
  },

  // Collections and modes.
  {
    name: 'a collection is born with one mode, which is its default',
    source: 'documented',
    run: async ({ collection }) => {
      const made = collection();
      equal(made.modes.length, 1);
      equal(made.modes[0]?.modeId, made.defaultModeId);
      equal(made.variableIds, []);
      equal(made.remote, false);
      const found = await figma.variables.getVariableCollectionByIdAsync(made.id);
      equal(found?.id, made.id);
      const all = await figma.variables.getLocalVariableCollectionsAsync();
      ok(all.some((each) => each.id === made.id), 'it is not listed');
    },
  },
  {
    name: 'a collection can be renamed and hidden from publishing',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      made.name = 'Renamed by the contract';
      made.hiddenFromPublishing = true;
      equal([made.name, made.hiddenFromPublishing], ['Renamed by the contract', true]);
    },
  },
  {
    name: 'modes are renamed in place',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      made.renameMode(only(made), 'light');
      equal(made.modes, [{ modeId: only(made), name: 'light' }]);
    },
  },
  {
    name: 'a mode name of 40 characters is taken, one of 41 refused',
    source: 'reported',
    run: ({ collection }) => {
      const made = collection();
      made.renameMode(only(made), 'x'.repeat(40));
      equal(made.modes[0]?.name.length, 40);
      throws(() => made.renameMode(only(made), 'x'.repeat(41)));
      equal(made.modes[0]?.name.length, 40);
    },
  },
  {
    name: 'addMode refuses a name of 41 characters, or any where the plan is full',
    source: 'reported',
    run: ({ collection }) => {
      throws(
        () => collection().addMode('x'.repeat(41)),
        /^in addMode: (Name cannot exceed 40 characters|Limited to \d+ modes only)/,
      );
    },
  },
  {
    name: "addMode gives the new mode's id until the plan's limit, and then names the limit",
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      let limit = '';
      for (let at = 2; at <= 60 && limit === ''; at += 1) {
        try {
          const modeId = made.addMode(`mode ${String(at)}`);
          equal(made.modes[made.modes.length - 1], { modeId, name: `mode ${String(at)}` });
        } catch (error) {
          limit = (error as Error).message;
        }
      }
      ok(/^in addMode: Limited to \d+ modes only/.test(limit), `the limit says ${JSON.stringify(limit)}`);
      equal(Number(/\d+/.exec(limit)?.[0]), made.modes.length);
    },
  },
  {
    name: 'the last mode can not be removed, nor one that is not there',
    source: 'reported',
    run: ({ collection }) => {
      const made = collection();
      throws(() => made.removeMode(only(made)));
      throws(() => made.removeMode('999:999'));
      throws(() => made.renameMode('999:999', 'x'));
      equal(made.modes.length, 1);
    },
  },
  {
    name: 'removing a collection removes its variables',
    source: 'documented',
    run: async ({ collection }) => {
      const made = collection();
      const { id } = make(made, 'goes too', 'FLOAT');
      const collectionId = made.id;
      made.remove();
      equal(await figma.variables.getVariableByIdAsync(id), null);
      equal(await figma.variables.getVariableCollectionByIdAsync(collectionId), null);
      throws(() => made.name);
    },
  },

  // Variables.
  {
    name: 'a variable has an id, a key, its collection, its type and all scopes',
    source: 'documented',
    run: async ({ collection }) => {
      const made = collection();
      const variable = make(made, 'group/name', 'FLOAT');
      equal(variable.name, 'group/name');
      equal(variable.variableCollectionId, made.id);
      equal(variable.resolvedType, 'FLOAT');
      equal(variable.scopes, ['ALL_SCOPES']);
      equal(variable.description, '');
      equal(variable.hiddenFromPublishing, false);
      equal(variable.remote, false);
      equal(variable.codeSyntax, {});
      ok(variable.key !== '' && variable.key !== variable.id, 'the key is missing');
      equal(made.variableIds, [variable.id]);
      const found = await figma.variables.getVariableByIdAsync(variable.id);
      equal(found?.name, 'group/name');
    },
  },
  {
    name: 'getLocalVariablesAsync can be limited to a type',
    source: 'documented',
    run: async ({ collection }) => {
      const made = collection();
      const float = make(made, 'float', 'FLOAT');
      const text = make(made, 'text', 'STRING');
      const ids = (await figma.variables.getLocalVariablesAsync('STRING')).map((each) => each.id);
      ok(ids.includes(text.id) && !ids.includes(float.id), 'the wrong ones came');
      const all = (await figma.variables.getLocalVariablesAsync()).map((each) => each.id);
      ok(all.includes(text.id) && all.includes(float.id), 'not all came');
    },
  },
  {
    name: 'what is not there is null',
    source: 'documented',
    run: async () => {
      equal(await figma.variables.getVariableByIdAsync('VariableID:999999:999999'), null);
      equal(await figma.variables.getVariableCollectionByIdAsync('VariableCollectionId:999999:999999'), null);
    },
  },
  {
    name: 'names are unique in a collection',
    source: 'reported',
    run: ({ collection }) => {
      const made = collection();
      make(made, 'twice', 'FLOAT');
      const other = make(made, 'other', 'FLOAT');
      throws(() => make(made, 'twice', 'FLOAT'), /^in createVariable: duplicate variable name/);
      throws(() => (other.name = 'twice'));
      equal(other.name, 'other');
      equal(made.variableIds.length, 2);
      make(collection(), 'twice', 'FLOAT');
    },
  },
  ...['a.b', 'a{b', 'a}b'].map(
    (name): Check => ({
      name: `the name ${name} is refused`,
      source: 'reported',
      run: ({ collection }) => {
        const made = collection();
        throws(() => make(made, name, 'FLOAT'), /^in createVariable: invalid variable name/);
        equal(made.variableIds, []);
      },
    }),
  ),
  {
    name: 'an unknown type is refused',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      throws(() => make(made, 'odd', 'NUMBER' as VariableResolvedDataType));
    },
  },
  ...VALUES.map(
    ([type, written]): Check => ({
      name: `a ${type} value is read back as it was written`,
      source: 'documented',
      run: ({ collection }) => {
        const made = collection();
        const variable = make(made, 'one', type);
        variable.setValueForMode(only(made), written);
        equal(value(variable, made), written);
      },
    }),
  ),
  ...VALUES.flatMap(([type]) =>
    VALUES.filter(([other]) => other !== type).map(
      ([other, written]): Check => ({
        name: `a ${type} variable refuses a ${other} value`,
        source: 'reported',
        run: ({ collection }) => {
          const made = collection();
          const variable = make(made, 'one', type);
          const before = value(variable, made);
          throws(() => variable.setValueForMode(only(made), written), MISMATCH);
          equal(value(variable, made), before);
        },
      }),
    ),
  ),
  {
    name: 'an EASING variable takes a curve',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      const variable = make(made, 'ease', 'EASING');
      const written: VariableValue = {
        type: 'CUSTOM_CUBIC_BEZIER',
        easingFunctionCubicBezier: { x1: 0.25, y1: 0.5, x2: 0.75, y2: 1 },
      };
      variable.setValueForMode(only(made), written);
      equal(value(variable, made), written);
    },
  },
  {
    name: 'a TIMING variable takes a number',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      const variable = make(made, 'wait', 'TIMING');
      variable.setValueForMode(only(made), 250);
      equal(value(variable, made), 250);
    },
  },
  {
    name: 'a colour written without alpha is read back with alpha 1',
    source: 'reported',
    run: ({ collection }) => {
      const made = collection();
      const variable = make(made, 'opaque', 'COLOR');
      variable.setValueForMode(only(made), { r: 1, g: 0.5, b: 0 });
      equal(value(variable, made), { r: 1, g: 0.5, b: 0, a: 1 });
    },
  },
  {
    name: 'colours and numbers are kept as 32-bit floats',
    source: 'reported',
    run: ({ collection }) => {
      const made = collection();
      const colour = make(made, 'colour', 'COLOR');
      colour.setValueForMode(only(made), { r: 0.1, g: 0.2, b: 0.3, a: 0.4 });
      const float = make(made, 'float', 'FLOAT');
      float.setValueForMode(only(made), 0.1);
      const round = Math.fround;
      equal(value(colour, made), { r: round(0.1), g: round(0.2), b: round(0.3), a: round(0.4) });
      equal(value(float, made), round(0.1));
    },
  },
  ...[NaN, Infinity].map(
    (number): Check => ({
      name: `${String(number)} is refused`,
      source: 'reported',
      run: ({ collection }) => {
        const made = collection();
        const variable = make(made, 'number', 'FLOAT');
        throws(() => variable.setValueForMode(only(made), number));
        equal(value(variable, made), 0);
      },
    }),
  ),
  {
    name: 'null, undefined and a colour without channels are refused',
    source: 'reported',
    run: ({ collection }) => {
      const made = collection();
      const variable = make(made, 'colour', 'COLOR');
      for (const wrong of [null, undefined, {}, { r: 1 }]) {
        throws(() => variable.setValueForMode(only(made), wrong as unknown as VariableValue), /^in setValueForMode: /);
      }
    },
  },
  {
    name: 'a mode that is not there is refused',
    source: 'reported',
    run: ({ collection }) => {
      const made = collection();
      const variable = make(made, 'number', 'FLOAT');
      throws(() => variable.setValueForMode('999:999', 1));
    },
  },
  {
    name: 'what a handle returns are copies',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      const variable = make(made, 'copy', 'FLOAT');
      (variable.valuesByMode as Record<string, VariableValue>)[only(made)] = 9;
      variable.scopes.push('GAP');
      (variable.codeSyntax as Record<string, string>)['WEB'] = 'x';
      made.modes.push({ modeId: 'x', name: 'x' });
      made.variableIds.push('x');
      equal(value(variable, made), 0);
      equal(variable.scopes, ['ALL_SCOPES']);
      equal(variable.codeSyntax, {});
      equal(made.modes.length, 1);
      equal(made.variableIds, [variable.id]);
    },
  },
  {
    name: 'names, descriptions and hiding can be written',
    source: 'documented',
    run: ({ collection }) => {
      const variable = make(collection(), 'before', 'FLOAT');
      variable.name = 'group/after';
      variable.description = 'Two\nlines';
      variable.hiddenFromPublishing = true;
      equal([variable.name, variable.description, variable.hiddenFromPublishing], ['group/after', 'Two\nlines', true]);
    },
  },
  {
    name: 'scopes can be written; an unknown one is refused',
    source: 'documented',
    run: ({ collection }) => {
      const variable = make(collection(), 'radius', 'FLOAT');
      variable.scopes = ['CORNER_RADIUS', 'GAP'];
      equal([...variable.scopes].sort(), ['CORNER_RADIUS', 'GAP']);
      throws(() => (variable.scopes = ['NONSENSE'] as unknown as typeof variable.scopes));
      equal([...variable.scopes].sort(), ['CORNER_RADIUS', 'GAP']);
    },
  },
  {
    name: 'code syntax can be set, changed and removed, for three platforms',
    source: 'documented',
    run: ({ collection }) => {
      const variable = make(collection(), 'code', 'FLOAT');
      variable.setVariableCodeSyntax('WEB', 'var(--code)');
      variable.setVariableCodeSyntax('ANDROID', 'R.code');
      variable.setVariableCodeSyntax('iOS', 'Code.one');
      variable.setVariableCodeSyntax('iOS', 'Code.two');
      variable.removeVariableCodeSyntax('ANDROID');
      equal(variable.codeSyntax, { WEB: 'var(--code)', iOS: 'Code.two' });
      throws(() => variable.setVariableCodeSyntax('IOS' as 'iOS', 'x'));
    },
  },
  {
    name: 'a removed variable is null to a look-up, gone from its collection, and its handle throws',
    source: 'documented',
    run: async ({ collection }) => {
      const made = collection();
      const variable = make(made, 'gone', 'FLOAT');
      const { id } = variable;
      variable.remove();
      equal(await figma.variables.getVariableByIdAsync(id), null);
      equal(made.variableIds, []);
      throws(() => variable.setValueForMode(only(made), 1));
      throws(() => (variable.name = 'still'));
      throws(() => variable.valuesByMode);
      throws(() => variable.remove());
      make(made, 'gone', 'FLOAT');
    },
  },
  {
    name: 'a failure halfway leaves what was written before it',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      throws(() => {
        make(made, 'first', 'FLOAT').setValueForMode(only(made), 1);
        make(made, 'not.allowed', 'FLOAT');
      });
      equal(made.variableIds.length, 1);
    },
  },
  {
    name: 'a collection takes 5,000 variables and refuses one more',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      for (let at = 0; at < 5_000; at += 1) make(made, `number/${String(at)}`, 'FLOAT');
      throws(() => make(made, 'one too many', 'FLOAT'));
      equal(made.variableIds.length, 5_000);
    },
  },

  // Aliases.
  {
    name: 'an alias is {type, id} and is read back unresolved',
    source: 'documented',
    run: async ({ collection }) => {
      const made = collection();
      const target = make(made, 'target', 'COLOR');
      const variable = make(made, 'alias', 'COLOR');
      const alias = figma.variables.createVariableAlias(target);
      equal(alias, { type: 'VARIABLE_ALIAS', id: target.id });
      equal(await figma.variables.createVariableAliasByIdAsync(target.id), alias);
      variable.setValueForMode(only(made), alias);
      equal(value(variable, made), alias);
    },
  },
  {
    name: 'an alias may point into another collection and not to another type',
    source: 'documented',
    run: ({ collection }) => {
      const [made, other] = [collection(), collection()];
      const variable = make(made, 'alias', 'FLOAT');
      variable.setValueForMode(only(made), figma.variables.createVariableAlias(make(other, 'far', 'FLOAT')));
      const wrong = figma.variables.createVariableAlias(make(other, 'text', 'STRING'));
      throws(() => variable.setValueForMode(only(made), wrong), MISMATCH);
    },
  },
  {
    name: 'aliases can not go in a circle',
    source: 'reported',
    run: ({ collection }) => {
      const made = collection();
      const [first, second, third] = [make(made, '1', 'FLOAT'), make(made, '2', 'FLOAT'), make(made, '3', 'FLOAT')];
      const alias = (variable: Variable) => figma.variables.createVariableAlias(variable);
      throws(() => first.setValueForMode(only(made), alias(first)));
      first.setValueForMode(only(made), alias(second));
      second.setValueForMode(only(made), alias(third));
      throws(() => third.setValueForMode(only(made), alias(first)));
    },
  },
  {
    name: 'a colour may be composed of an alias and an opacity',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      const [base, shade] = [make(made, 'base', 'COLOR'), make(made, 'shade', 'COLOR')];
      const opacity = make(made, 'opacity', 'FLOAT');
      const alias = figma.variables.createVariableAlias;
      shade.setValueForMode(only(made), { color: alias(base), opacity: 50 });
      equal(value(shade, made), { color: alias(base), opacity: 50 });
      shade.setValueForMode(only(made), { color: alias(base), opacity: alias(opacity) });
      equal(value(shade, made), { color: alias(base), opacity: alias(opacity) });
      const neither = { color: { r: 0, g: 0, b: 0 }, opacity: 50 } as unknown as VariableValue;
      throws(() => shade.setValueForMode(only(made), neither));
    },
  },
  {
    name: 'an unknown library key is rejected',
    source: 'documented',
    run: () => rejects(figma.variables.importVariableByKeyAsync('0'.repeat(40))),
  },

  // Plugin data.
  {
    name: 'plugin data: missing is empty, empty removes, keys are listed, for variables, collections and the root',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      const key = 'sheetwire-contract';
      for (const owner of [make(made, 'data', 'FLOAT'), made, figma.root]) {
        equal(owner.getPluginData(key), '');
        owner.setPluginData(key, 'one ");\u001e 🎨');
        equal(owner.getPluginData(key), 'one ");\u001e 🎨');
        ok(owner.getPluginDataKeys().includes(key), 'the key is not listed');
        owner.setPluginData(key, '');
        equal(owner.getPluginData(key), '');
        ok(!owner.getPluginDataKeys().includes(key), 'the key is still listed');
      }
    },
  },
  {
    name: 'an entry of plugin data over 100 kB is refused and the old one stays',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      for (const owner of [make(made, 'data', 'FLOAT'), made, figma.root]) {
        owner.setPluginData('sheetwire-contract', 'kept');
        throws(() => owner.setPluginData('sheetwire-contract', 'x'.repeat(110_000)));
        equal(owner.getPluginData('sheetwire-contract'), 'kept');
        owner.setPluginData('sheetwire-contract', '');
      }
    },
  },
  {
    name: 'shared plugin data is kept by namespace, apart from private data',
    source: 'documented',
    run: ({ collection }) => {
      const made = collection();
      made.setSharedPluginData('sheetwire', 'key', 'shared');
      equal(made.getSharedPluginData('sheetwire', 'key'), 'shared');
      equal(made.getSharedPluginDataKeys('sheetwire'), ['key']);
      equal(made.getSharedPluginData('elsewhere', 'key'), '');
      equal(made.getPluginData('key'), '');
    },
  },

  // Undo.
  {
    name: 'triggerUndo reverts to the last commitUndo, plugin data included',
    source: 'documented',
    run: async ({ collection }) => {
      const made = collection();
      const variable = make(made, 'undone', 'FLOAT');
      variable.setValueForMode(only(made), 1);
      figma.commitUndo();
      variable.setValueForMode(only(made), 2);
      variable.setPluginData('base', 'two');
      figma.triggerUndo();
      await new Promise((resolve) => setTimeout(() => resolve(undefined), 50));
      equal(value(variable, made), 1);
      equal(variable.getPluginData('base'), '');
    },
  },
];
