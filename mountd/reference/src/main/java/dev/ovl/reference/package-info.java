/**
 * What is told of the programs beside their help: manual pages, completion for shells, and the
 * configuration file as it is installed. All of it is made from the models of the command lines and
 * from {@link dev.ovl.config.Setting}, so that nothing is said twice.
 *
 * <ul>
 *   <li>{@link dev.ovl.reference.DocumentedProgram} is what a program tells of itself, {@link
 *       dev.ovl.reference.Reference} writes everything.
 *   <li>{@link dev.ovl.reference.Shell} makes completion scripts: {@code BashScript}, {@code
 *       ZshScript}, {@code FishScript}. {@code Completes} decides what fits where.
 *   <li>{@code CommandPage} and {@code ConfigurationPage} are manual pages, written by {@code
 *       Roff}; the resources hold what is not in any model.
 * </ul>
 *
 * <p>Texts are the same at each build: they hold no date and no version. Imports picocli and
 * dev.ovl.config, and nothing else of ovl.
 */
package dev.ovl.reference;
