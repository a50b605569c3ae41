/**
 * Figma's own globals for the checks, from the published typings.
 */
/// <reference types="@figma/plugin-typings" />
