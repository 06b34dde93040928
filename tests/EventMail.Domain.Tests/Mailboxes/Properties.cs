using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Domain.Tests.Mailboxes;

/// <summary>Runs properties over generated values.</summary>
internal static class Properties
{
    /// <summary>One step of a random walk: what is done, and two numbers that each step reads in its own way.</summary>
    public readonly record struct Step(int Kind, int A, int B);

    public static readonly Arbitrary<Step[]> Steps = Arb.From(
        Gen.ArrayOf(
            from kind in Gen.Choose(0, 99)
            from a in Gen.Choose(0, int.MaxValue - 1)
            from b in Gen.Choose(0, int.MaxValue - 1)
            select new Step(kind, a, b)),
        steps => Enumerable.Range(0, steps.Length).Select(i => steps.Where((_, k) => k != i).ToArray()));

    public static void Hold<T>(Arbitrary<T> values, Action<T> property, int tests = 200, int size = 100) =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(tests).WithEndSize(size),
            Prop.ForAll(values, value => { property(value); return true; }));
}
