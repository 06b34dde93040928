using System.Buffers;

namespace EventMail.Domain.Messages;

/// <summary>
/// Address lists of RFC 5322 §3.4 with the obsolete forms of §4.4: routes, empty list elements, comments as display
/// names, white space around dots. Broken addresses are kept with placeholders, so that none is silently lost.
/// </summary>
public static class AddressList
{
    private enum Form
    {
        /// <summary>Words alone: a local name without domain, or a display name without address.</summary>
        Bare,
        AddrSpec,
        NameAddr,
        Group,
    }

    /// <summary>Appends the addresses of one field body.</summary>
    /// <returns>False where something belongs to no address, or was not read: others may read other addresses there.</returns>
    public static bool Read(Octets field, List<Address> addresses, int maxAddresses)
    {
        if (field.IsNil)
            return true;
        var tokens = field.Tokens();
        return ReadList(ref tokens, addresses, maxAddresses, insideGroup: false) && !tokens.HasOpenEnd;
    }

    private static bool ReadList(ref HeaderTokens tokens, List<Address> addresses, int maxAddresses, bool insideGroup)
    {
        var isWhole = true;
        while (true)
        {
            tokens.SkipCfws();
            if (tokens.AtEnd || (insideGroup && tokens.Current == (byte)';'))
                return isWhole;
            // RFC 5322 §4.4: list elements may be empty.
            if (tokens.TryTake((byte)','))
                continue;
            if (addresses.Count >= maxAddresses)
                return false;
            isWhole &= ReadAddress(ref tokens, addresses, maxAddresses, insideGroup);
            tokens.SkipCfws();
            var behind = tokens.Position;
            // Rubbish behind an address does not hide the addresses that follow.
            tokens.SkipTo((byte)',', insideGroup ? (byte)';' : (byte)',');
            isWhole &= tokens.Position == behind;
        }
    }

    private static bool ReadAddress(ref HeaderTokens tokens, List<Address> addresses, int maxAddresses, bool insideGroup)
    {
        var isWhole = true;
        tokens.ForgetComment();
        switch (Classify(tokens, insideGroup))
        {
            case Form.Group:
                var name = ReadPhrase(ref tokens);
                tokens.TryTake((byte)':');
                addresses.Add(new Address(Octets.Nil, Octets.Nil, name, Octets.Nil));
                isWhole = ReadList(ref tokens, addresses, maxAddresses, insideGroup: true);
                isWhole &= tokens.TryTake((byte)';');
                addresses.Add(default);
                break;
            case Form.NameAddr:
                addresses.Add(ReadNameAddr(ref tokens));
                break;
            case Form.AddrSpec:
                addresses.Add(ReadAddrSpec(ref tokens));
                break;
            default:
                addresses.Add(ReadBare(ref tokens));
                break;
        }
        return isWhole;
    }

    // tokens is a copy here: looking ahead moves nothing. What is looked at is always taken by the form it decides,
    // so that the whole stays linear.
    private static Form Classify(HeaderTokens tokens, bool insideGroup)
    {
        var start = tokens.Position;
        var form = Classify(ref tokens, insideGroup);
        LookAhead.Bytes += tokens.Position - start;
        return form;
    }

    private static Form Classify(ref HeaderTokens tokens, bool insideGroup)
    {
        var form = Form.Bare;
        while (!tokens.AtEnd)
        {
            switch (tokens.Current)
            {
                case (byte)'<':
                    return Form.NameAddr;
                case (byte)',':
                case (byte)';' when insideGroup:
                    return form;
                case (byte)':' when form == Form.Bare && !insideGroup:
                    return Form.Group;
                case (byte)'@':
                    form = Form.AddrSpec;
                    break;
            }
            tokens.SkipOne();
        }
        return form;
    }

    /// <summary>phrase and obs-phrase: words joined by one space, until a byte that no word has.</summary>
    private static Octets ReadPhrase(ref HeaderTokens tokens)
    {
        var first = ReadWord(ref tokens);
        if (!IsWordStart(tokens.Current) || tokens.AtEnd)
            return first;
        var phrase = new ArrayBufferWriter<byte>(64);
        phrase.Write(first.Span);
        while (!tokens.AtEnd && IsWordStart(tokens.Current))
        {
            phrase.Write(" "u8);
            phrase.Write(ReadWord(ref tokens).Span);
        }
        return new Octets(phrase.WrittenSpan.ToArray());
    }

    private static Octets ReadWord(ref HeaderTokens tokens)
    {
        if (tokens.Current == (byte)'"')
            return tokens.ReadQuoted();
        var start = tokens.Position;
        while (!tokens.AtEnd && (Ascii.IsAtext(tokens.Current) || tokens.Current == (byte)'.'))
            tokens.Position++;
        var word = tokens.Slice(start, tokens.Position);
        tokens.SkipCfws();
        return word;
    }

    private static bool IsWordStart(byte b) => b is (byte)'"' or (byte)'.' || Ascii.IsAtext(b);

    private static Address ReadNameAddr(ref HeaderTokens tokens)
    {
        var start = tokens.Position;
        var name = ReadPhrase(ref tokens);
        if (tokens.Current != (byte)'<')
        {
            // "user@host <user@host>" and the like: not a phrase, but what people see as the name.
            tokens.Position = start;
            tokens.SkipTo((byte)'<', (byte)'<');
            name = Trimmed(tokens.Slice(start, tokens.Position));
        }
        if (name.Length == 0)
            name = Octets.Nil;
        tokens.TryTake((byte)'<');
        tokens.SkipCfws();

        var route = ReadRoute(ref tokens);
        var mailbox = tokens.Current == (byte)'>' ? Octets.Nil : ReadLocalPart(ref tokens);
        var host = Octets.Nil;
        if (tokens.TryTake((byte)'@'))
            host = ReadDomain(ref tokens);
        if (!tokens.TryTake((byte)'>'))
            host = Address.SyntaxError;
        return Complete(name, route, mailbox, host);
    }

    // RFC 5322 §4.4: obs-route = obs-domain-list ":"
    private static Octets ReadRoute(ref HeaderTokens tokens)
    {
        if (tokens.Current != (byte)'@')
            return Octets.Nil;
        var route = new ArrayBufferWriter<byte>(64);
        while (tokens.TryTake((byte)'@'))
        {
            if (route.WrittenCount > 0)
                route.Write(","u8);
            route.Write("@"u8);
            route.Write(ReadDomain(ref tokens).Span);
            while (tokens.TryTake((byte)','))
                tokens.SkipCfws();
        }
        if (!tokens.TryTake((byte)':'))
            return new Octets("INVALID_ROUTE"u8.ToArray());
        tokens.SkipCfws();
        return new Octets(route.WrittenSpan.ToArray());
    }

    private static Address ReadAddrSpec(ref HeaderTokens tokens)
    {
        var mailbox = tokens.Current == (byte)'@' ? Octets.Nil : ReadLocalPart(ref tokens);
        var host = tokens.TryTake((byte)'@') ? ReadDomain(ref tokens) : Octets.Nil;
        return Complete(tokens.LastComment, Octets.Nil, mailbox, host);
    }

    private static Address ReadBare(ref HeaderTokens tokens)
    {
        var quoted = tokens.Current == (byte)'"';
        var start = tokens.Position;
        var words = ReadPhrase(ref tokens);
        var comment = tokens.LastComment;
        if (!comment.IsNil)
            return Complete(comment, Octets.Nil, words, Octets.Nil);
        var several = quoted || words.Span.Contains((byte)' ');
        if (tokens.Position == start)
            return Complete(Octets.Nil, Octets.Nil, Octets.Nil, Octets.Nil);
        // "root" is a local mailbox; "Some Body" is a display name whose address is missing.
        return several
            ? Complete(words, Octets.Nil, Octets.Nil, Octets.Nil)
            : Complete(Octets.Nil, Octets.Nil, words, Octets.Nil);
    }

    private static Address Complete(Octets name, Octets route, Octets mailbox, Octets host) => new(
        name,
        route,
        mailbox.IsNil || mailbox.Length == 0 ? Address.MissingMailbox : mailbox,
        host.IsNil || host.Length == 0 ? Address.MissingDomain : host);

    /// <summary>RFC 5322 §3.4.1 and §4.4: word *("." word), white space and comments around the dots dropped.</summary>
    private static Octets ReadLocalPart(ref HeaderTokens tokens) => ReadDotted(ref tokens, quotedWords: true);

    private static Octets ReadDomain(ref HeaderTokens tokens)
    {
        tokens.SkipCfws();
        return tokens.Current == (byte)'[' ? tokens.ReadDomainLiteral() : ReadDotted(ref tokens, quotedWords: false);
    }

    private static Octets ReadDotted(ref HeaderTokens tokens, bool quotedWords)
    {
        var start = tokens.Position;
        var first = ReadPlainDotted(ref tokens);
        var more = quotedWords && tokens.Current == (byte)'"';
        if (!more && tokens.Current != (byte)'.')
            return first;

        tokens.Position = start;
        var text = new ArrayBufferWriter<byte>(64);
        var afterWord = false;
        while (!tokens.AtEnd)
        {
            if (tokens.TryTake((byte)'.'))
            {
                text.Write("."u8);
                tokens.SkipCfws();
                afterWord = false;
            }
            else if (!afterWord && quotedWords && tokens.Current == (byte)'"')
            {
                text.Write(tokens.ReadQuoted().Span);
                afterWord = true;
            }
            else if (!afterWord && Ascii.IsAtext(tokens.Current))
            {
                text.Write(tokens.ReadAtom().Span);
                afterWord = true;
            }
            else
            {
                break;
            }
        }
        return new Octets(text.WrittenSpan.ToArray());
    }

    // The usual case needs no copy: a run of atext and dots.
    private static Octets ReadPlainDotted(ref HeaderTokens tokens)
    {
        var start = tokens.Position;
        while (!tokens.AtEnd && (Ascii.IsAtext(tokens.Current) || tokens.Current == (byte)'.'))
            tokens.Position++;
        var text = tokens.Slice(start, tokens.Position);
        tokens.SkipCfws();
        return text;
    }

    private static Octets Trimmed(Octets text)
    {
        var span = text.Span;
        var end = span.Length;
        while (end > 0 && Ascii.IsSpace(span[end - 1]))
            end--;
        return new Octets(span.Contains((byte)0) ? HeaderTokens.ReplaceNul(span[..end]) : span[..end].ToArray());
    }
}
