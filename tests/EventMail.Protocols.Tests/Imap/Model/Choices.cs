namespace EventMail.Protocols.Tests.Imap.Model;

/// <summary>
/// What a step chose of what there was: kept, so that the step can be taken with the same words once more when things have changed
/// meanwhile, by commands that were sent before its own.
/// </summary>
internal sealed class Choices
{
    private readonly Queue<object> _made = new();
    private bool _again;

    public void Again() => _again = true;

    public T Of<T>(Random random, Func<Random, T> choose) where T : notnull
    {
        // As many numbers are drawn the second time.
        var own = new Random(random.Next());
        if (_again)
            return (T)_made.Dequeue();
        var made = choose(own);
        _made.Enqueue(made);
        return made;
    }
}
