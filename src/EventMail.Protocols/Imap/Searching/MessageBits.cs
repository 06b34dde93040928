using System.Numerics;

namespace EventMail.Protocols.Imap.Searching;

/// <summary>One bit for each message of a slice.</summary>
internal readonly struct MessageBits(int count)
{
    private readonly ulong[] _words = new ulong[(count + 63) / 64];

    public void Set(int i) => _words[i >> 6] |= 1UL << i;

    public void SetIf(int i, bool condition) => _words[i >> 6] |= (condition ? 1UL : 0UL) << i;

    public bool IsEmpty => !_words.AsSpan().ContainsAnyExcept(0UL);

    public static MessageBits All(int count)
    {
        var bits = new MessageBits(count);
        bits._words.AsSpan().Fill(ulong.MaxValue);
        if (count % 64 != 0)
            bits._words[^1] = (1UL << count) - 1;
        return bits;
    }

    public MessageBits And(MessageBits other)
    {
        for (var i = 0; i < _words.Length; i++)
            _words[i] &= other._words[i];
        return this;
    }

    public MessageBits Or(MessageBits other)
    {
        for (var i = 0; i < _words.Length; i++)
            _words[i] |= other._words[i];
        return this;
    }

    public MessageBits Except(MessageBits other, int count)
    {
        var result = new MessageBits(count);
        for (var i = 0; i < _words.Length; i++)
            result._words[i] = _words[i] & ~other._words[i];
        return result;
    }

    public int Count()
    {
        var count = 0;
        foreach (var word in _words)
            count += BitOperations.PopCount(word);
        return count;
    }

    /// <summary>The last set bit, or -1.</summary>
    public int Last()
    {
        for (var word = _words.Length - 1; word >= 0; word--)
        {
            if (_words[word] != 0)
                return (word << 6) + 63 - BitOperations.LeadingZeroCount(_words[word]);
        }

        return -1;
    }

    /// <summary>The first bit from an index on that is not set; the number of bits may be less.</summary>
    public int NextClear(int from)
    {
        for (var word = from >> 6; word < _words.Length; word++)
        {
            var rest = ~_words[word];
            if (word == from >> 6)
                rest &= ulong.MaxValue << from;
            if (rest != 0)
                return (word << 6) + BitOperations.TrailingZeroCount(rest);
        }

        return _words.Length << 6;
    }

    /// <summary>The first set bit from an index on, or -1.</summary>
    public int Next(int from)
    {
        for (var word = from >> 6; word < _words.Length; word++)
        {
            var rest = _words[word];
            if (word == from >> 6)
                rest &= ulong.MaxValue << from;
            if (rest != 0)
                return (word << 6) + BitOperations.TrailingZeroCount(rest);
        }

        return -1;
    }
}
