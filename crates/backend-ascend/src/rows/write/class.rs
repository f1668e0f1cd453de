//! The text of the class: its methods around the phases, its buffers and members.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Array, BUFFER_BYTES, Given, MAX_PIECE, Method, Writer, local};
use crate::code::refuse;
use crate::host::text::has_word;
use crate::rows::execute::Result;
use crate::rows::graph::{Base, Id};
use crate::rows::phase::Phase;
use crate::rows::vector::element_type;

impl Writer<'_> {
    // The class.

    #[allow(clippy::too_many_arguments, reason = "one text of many pieces")]
    pub(super) fn class(
        &mut self,
        count_name: &str,
        text: &mut String,
        class: &str,
        tiling: &str,
        phases: &[&Phase],
        between: &[String],
        methods: &[Method],
        guards: &[Id],
        is_fixed: bool,
    ) -> Result<()> {
        let mut lengths: Vec<Id> = Vec::new();
        for phase in phases {
            if !lengths.contains(&phase.length) {
                lengths.push(phase.length);
            }
        }
        let mut length_names = BTreeMap::new();
        let mut length_texts = String::new();
        for (index, length) in lengths.iter().enumerate() {
            let name = match index {
                0 => "Length".to_owned(),
                _ => format!("Length{}", index + 1),
            };
            let value = self.scalars.text(self.graph, *length)?;
            let parameter = if has_word(&value, "row") { "int64_t row" } else { "" };
            let argument = if parameter.is_empty() { "" } else { "row" };
            let work = if has_word(&value, "work") {
                return Err(refuse("a row's length is computed by a function"));
            } else {
                ""
            };
            let _ = write!(
                length_texts,
                "    // The elements of {}.\n    __aicore__ inline int64_t {name}({parameter}) const\n    {{\n{work}        const int64_t length = {value};\n        return length > 0 ? length : 0;\n    }}\n",
                match index {
                    0 => "a row".to_owned(),
                    _ => "a row's part".to_owned(),
                }
            );
            length_names.insert(*length, (name, argument));
        }
        let call = |length: &Id, row: &str| match length_names.get(length) {
            Some((name, "")) => format!("{name}()"),
            Some((name, _)) => format!("{name}({row})"),
            None => "0".to_owned(),
        };
        let is_row = self.guard(guards)?;

        // Copies of each array.
        let mut copies = String::new();
        for array in &self.inputs.clone() {
            let place = self.scalars.element(self.graph, array.offset, array.ty)?;
            let ty = element_type(array.ty)?;
            let gm = self.scalars.tensor(array.base, array.ty)?;
            let at = if place == "0" { "start".to_owned() } else { format!("{place} + start") };
            let row = if has_word(&at, "row") { "int64_t row, " } else { "" };
            let _ = write!(
                copies,
                "    __aicore__ inline void CopyIn{0}({row}int64_t start, uint32_t count)\n    {{\n        const auto {1} = inQueue{0}_.AllocTensor<{ty}>();\n        rows::CopyRowIn({1}, {gm}[{at}], count);\n        inQueue{0}_.EnQue({1});\n    }}\n",
                array.name,
                local(&array.name)
            );
        }
        for array in &self.outputs.clone() {
            let place = self.scalars.element(self.graph, array.offset, array.ty)?;
            let ty = element_type(array.ty)?;
            let gm = self.scalars.tensor(array.base, array.ty)?;
            let at = if place == "0" { "start".to_owned() } else { format!("{place} + start") };
            let row = if has_word(&at, "row") { "int64_t row, " } else { "" };
            // The next row may begin in the data block in which this one ends.
            let wait = match self.inputs.iter().any(|input| input.base == array.base) {
                true => "        rows::WaitFor<HardEvent::MTE2_MTE3>();\n",
                false => "",
            };
            let _ = write!(
                copies,
                "    __aicore__ inline void CopyOut{0}({row}int64_t start, uint32_t count)\n    {{\n        const auto {1} = outQueue{0}_.DeQue<{ty}>();\n{wait}        rows::CopyRowOut({gm}[{at}], {1}, count);\n        outQueue{0}_.FreeTensor({1});\n    }}\n",
                array.name,
                local(&array.name)
            );
        }
        let takes_row = |name: &str| copies.contains(&format!(" {name}(int64_t row, "));
        let copy_in = |array: &Array, row: &str, start: &str, count: &str| {
            let name = format!("CopyIn{}", array.name);
            if takes_row(&name) {
                format!("{name}({row}, {start}, {count});")
            } else {
                format!("{name}({start}, {count});")
            }
        };
        let copy_out = |array: &Array, start: &str, count: &str| {
            let name = format!("CopyOut{}", array.name);
            if takes_row(&name) {
                format!("{name}(row, {start}, {count});")
            } else {
                format!("{name}({start}, {count});")
            }
        };

        // A row in one piece.
        let longest = |array: &Array, row: &str| {
            let mut texts: Vec<String> =
                array.lengths.iter().map(|length| call(length, row)).collect();
            let mut all = texts.remove(0);
            for other in texts {
                all = format!("rows::Longer({all}, {other})");
            }
            all
        };
        // What is only read again where rows are in pieces.
        let first_in: Vec<usize> = {
            let mut found: Vec<usize> = Vec::new();
            for method in methods {
                for given in &method.inputs {
                    if given.output.is_none() && !found.contains(&given.input) {
                        found.push(given.input);
                    }
                }
            }
            found
        };
        let mut process_row = String::new();
        let kept: Vec<usize> = first_in.iter().copied().filter(|i| self.inputs[*i].stays).collect();
        let own: Vec<usize> = first_in.iter().copied().filter(|i| !self.inputs[*i].stays).collect();
        for index in &own {
            let array = &self.inputs[*index];
            let _ = writeln!(
                process_row,
                "        const auto {} = inQueue{}_.DeQue<{}>();",
                local(&array.name),
                array.name,
                element_type(array.ty)?
            );
        }
        let mut allocated: Vec<usize> = Vec::new();
        let mut long = String::new();
        let mut freed: BTreeSet<usize> = BTreeSet::new();
        let last_use = |input: usize| {
            methods
                .iter()
                .rposition(|m| m.inputs.iter().any(|g| g.input == input && g.output.is_none()))
        };
        let last_out = |output: usize| {
            methods.iter().rposition(|m| {
                m.outputs.contains(&output) || m.inputs.iter().any(|g| g.output == Some(output))
            })
        };
        let input_names = |given: &Given| match given.output {
            Some(output) => format!("{}Out", local(&self.outputs[output].name)),
            None if self.inputs[given.input].stays => {
                format!("{}_", local(&self.inputs[given.input].name))
            }
            None => local(&self.inputs[given.input].name),
        };
        for (index, method) in methods.iter().enumerate() {
            let phase = phases[index];
            if let Some(code) = between.get(index) {
                process_row.push_str(code);
                long.push_str(code);
            }
            let guard = {
                let mut texts = Vec::new();
                for id in &phase.guards {
                    texts.push(self.scalars.operand(self.graph, *id)?);
                }
                (!texts.is_empty()).then(|| texts.join(" && "))
            };
            for output in &method.outputs {
                if !allocated.contains(output) {
                    allocated.push(*output);
                    let array = &self.outputs[*output];
                    let _ = writeln!(
                        process_row,
                        "        const auto {}Out = outQueue{}_.AllocTensor<{}>();",
                        local(&array.name),
                        array.name,
                        element_type(array.ty)?
                    );
                }
            }
            if guard.is_some() && !method.outputs.is_empty() {
                return Err(refuse("rows are written under a condition"));
            }
            let mut arguments: Vec<String> = method.inputs.iter().map(input_names).collect();
            arguments.extend(
                method.outputs.iter().map(|o| format!("{}Out", local(&self.outputs[*o].name))),
            );
            let has = |word: &str| method.text.contains(&format!("int64_t {word}"));
            if has("start") {
                arguments.push("0".to_owned());
            }
            if has("row") {
                arguments.push("row".to_owned());
            }
            let length = call(&phase.length, "row");
            arguments.push(format!("static_cast<uint32_t>({length})"));
            let line = format!("{}({});", method.name, arguments.join(", "));
            match &guard {
                Some(guard) => {
                    let _ = writeln!(process_row, "        if ({guard}) {line}");
                }
                None => {
                    let _ = writeln!(process_row, "        {line}");
                }
            }
            // What nobody needs any more.
            for input in &own {
                if last_use(*input) == Some(index) && freed.insert(*input) {
                    let array = &self.inputs[*input];
                    let _ = writeln!(
                        process_row,
                        "        inQueue{}_.FreeTensor({});",
                        array.name,
                        local(&array.name)
                    );
                }
            }
            for output in allocated.clone() {
                if last_out(output) == Some(index) {
                    let array = &self.outputs[output];
                    let _ = writeln!(
                        process_row,
                        "        outQueue{0}_.EnQue({1}Out);",
                        array.name,
                        local(&array.name)
                    );
                    let count = format!("static_cast<uint32_t>({})", longest(array, "row"));
                    let _ = writeln!(process_row, "        {}", copy_out(array, "0", &count));
                }
            }

            // The same phase, piece by piece.
            let reads_back = method.inputs.iter().any(|g| g.output.is_some());
            if reads_back {
                long.push_str(
                    "        // What was written is read back.\n        PipeBarrier<PIPE_ALL>();\n",
                );
            }
            let open = match &guard {
                Some(guard) => format!("        if ({guard}) {{\n"),
                None => "        {\n".to_owned(),
            };
            long.push_str(&open);
            let _ = writeln!(long, "            const int64_t length = {length};");
            let mut inputs: Vec<usize> = method.inputs.iter().map(|g| g.input).collect();
            inputs.sort_unstable();
            inputs.dedup();
            for input in &inputs {
                let line =
                    copy_in(&self.inputs[*input], "row", "0", "rows::PieceOf(length, 0, PIECE)");
                let _ = writeln!(long, "            if (length > 0) {line}");
            }
            long.push_str(
                "            for (int64_t start = 0; start < length; start += PIECE) {\n",
            );
            long.push_str(
                "                const uint32_t count = rows::PieceOf(length, start, PIECE);\n",
            );
            if !inputs.is_empty() {
                long.push_str("                if (start + PIECE < length) {\n");
                for input in &inputs {
                    let line = copy_in(
                        &self.inputs[*input],
                        "row",
                        "start + PIECE",
                        "rows::PieceOf(length, start + PIECE, PIECE)",
                    );
                    let _ = writeln!(long, "                    {line}");
                }
                long.push_str("                }\n");
            }
            for input in &inputs {
                let array = &self.inputs[*input];
                let _ = writeln!(
                    long,
                    "                const auto {} = inQueue{}_.DeQue<{}>();",
                    local(&array.name),
                    array.name,
                    element_type(array.ty)?
                );
            }
            for output in &method.outputs {
                let array = &self.outputs[*output];
                let _ = writeln!(
                    long,
                    "                const auto {}Out = outQueue{}_.AllocTensor<{}>();",
                    local(&array.name),
                    array.name,
                    element_type(array.ty)?
                );
            }
            let mut arguments: Vec<String> =
                method.inputs.iter().map(|g| local(&self.inputs[g.input].name)).collect();
            arguments.extend(
                method.outputs.iter().map(|o| format!("{}Out", local(&self.outputs[*o].name))),
            );
            if has("start") {
                arguments.push("start".to_owned());
            }
            if has("row") {
                arguments.push("row".to_owned());
            }
            arguments.push("count".to_owned());
            let _ = writeln!(long, "                {}({});", method.name, arguments.join(", "));
            for input in &inputs {
                let array = &self.inputs[*input];
                let _ = writeln!(
                    long,
                    "                inQueue{}_.FreeTensor({});",
                    array.name,
                    local(&array.name)
                );
            }
            for output in &method.outputs {
                let array = &self.outputs[*output];
                let _ = writeln!(
                    long,
                    "                outQueue{0}_.EnQue({1}Out);",
                    array.name,
                    local(&array.name)
                );
                let _ = writeln!(long, "                {}", copy_out(array, "start", "count"));
            }
            long.push_str("            }\n        }\n");
        }
        let tail = between.last().cloned().unwrap_or_default();
        process_row.push_str(&tail);
        long.push_str(&tail);
        let with_work = |code: &str| match has_word(code, "work") {
            true => "        const auto work = workBuf_.Get<float>();\n",
            false => "",
        };

        // The rows of a core.
        let mut process = String::new();
        if !kept.is_empty() {
            let limit =
                lengths.iter().map(|l| format!("{} <= PIECE", call(l, "0"))).collect::<Vec<_>>();
            let _ = writeln!(
                process,
                "        // What all rows share stays, where a row is one piece.\n        const bool isShared = firstRow_ < lastRow_ && {};",
                limit.join(" && ")
            );
            process.push_str("        if (isShared) {\n");
            for index in &kept {
                let array = &self.inputs[*index];
                let count = format!("static_cast<uint32_t>({})", longest(array, "0"));
                let _ = writeln!(process, "            {}", copy_in(array, "0", "0", &count));
                let _ = writeln!(
                    process,
                    "            {}_ = inQueue{}_.DeQue<{}>();",
                    local(&array.name),
                    array.name,
                    element_type(array.ty)?
                );
            }
            process.push_str("        }\n");
        }
        process.push_str("        bool isLoaded = false;\n        for (int64_t row = firstRow_; row < lastRow_; ++row) {\n");
        if is_row.is_some() {
            process.push_str("            if (!IsRow(row)) continue;\n");
        }
        let whole = |row: &str| {
            lengths
                .iter()
                .map(|l| format!("{} <= PIECE", call(l, row)))
                .collect::<Vec<_>>()
                .join(" && ")
        };
        let condition = if lengths.len() == 1 {
            format!("{} > PIECE", call(&lengths[0], "row"))
        } else {
            format!("!({})", whole("row"))
        };
        let _ = writeln!(
            process,
            "            if ({condition}) {{\n                ProcessLongRow(row);\n                continue;\n            }}"
        );
        if !own.is_empty() {
            process
                .push_str("            // The next row is copied in while this one is computed.\n");
            process.push_str("            if (!isLoaded) CopyInRow(row);\n");
            let mut next = vec!["row + 1 < lastRow_".to_owned()];
            if is_row.is_some() {
                next.push("IsRow(row + 1)".to_owned());
            }
            if !is_fixed {
                next.push(whole("row + 1"));
            }
            let _ = writeln!(
                process,
                "            isLoaded = {};\n            if (isLoaded) CopyInRow(row + 1);",
                next.join(" && ")
            );
        }
        process.push_str("            ProcessRow(row);\n        }\n");
        if !kept.is_empty() {
            process.push_str("        if (isShared) {\n");
            for index in &kept {
                let array = &self.inputs[*index];
                let _ = writeln!(
                    process,
                    "            inQueue{}_.FreeTensor({}_);",
                    array.name,
                    local(&array.name)
                );
            }
            process.push_str("        }\n");
        }
        for (.., name) in &self.results {
            let _ = writeln!(process, "        {name}.Flush();");
        }
        if own.is_empty() {
            process = process.replace("        bool isLoaded = false;\n", "");
        }
        let mut copy_row = String::new();
        let is_in_place =
            self.inputs.iter().any(|input| self.outputs.iter().any(|o| o.base == input.base));
        if is_in_place {
            copy_row.push_str(
                "        // The row before may end in the data block in which this one begins.\n",
            );
            copy_row.push_str("        rows::WaitFor<HardEvent::MTE3_MTE2>();\n");
        }
        for index in &own {
            let array = &self.inputs[*index];
            let count = format!("static_cast<uint32_t>({})", longest(array, "row"));
            let _ = writeln!(copy_row, "        {}", copy_in(array, "row", "0", &count));
        }

        // Room.
        let mut bytes = 0u64;
        for array in &self.inputs {
            bytes += 2 * array.ty.size();
        }
        for array in &self.outputs {
            bytes += 2 * array.ty.size();
        }
        bytes += self.slots as u64 * 4;
        let mut bits = self.masks as u64;
        if self.places {
            bytes += 4;
        }
        // Work space of reductions: a result and an index for each 64 elements.
        bits += 1;
        let fixed = 64 + self.results.len() as u64 * 256 * 16 + 32 * 16;
        let piece = (BUFFER_BYTES - fixed) * 8 / (bytes * 8 + bits) / 256 * 256;
        let piece = piece.min(MAX_PIECE);
        if piece < 256 {
            return Err(refuse("a row's values leave no room in the unified buffer"));
        }

        // All of it.
        let names: Vec<(String, u32)> = self
            .function
            .parameters
            .iter()
            .enumerate()
            .filter(|(index, _)| {
                self.scalars.tensors.keys().any(|(base, _)| *base == Base::Argument(*index as u32))
            })
            .map(|(index, p)| (p.name.clone(), index as u32))
            .collect();
        let list: String = names.iter().map(|(name, _)| format!("GM_ADDR {name}, ")).collect();
        let _ = writeln!(text, "class {class} {{\npublic:");
        let _ = writeln!(text, "    __aicore__ inline {class}() {{}}");
        let _ = writeln!(
            text,
            "    __aicore__ inline void Init({list}const {tiling}& tiling)\n    {{\n        tiling_ = tiling;"
        );
        text.push_str("        // Neighbouring rows stay on one core.\n");
        let _ = writeln!(
            text,
            "        firstRow_ = tiling.{count_name} * GetBlockIdx() / GetBlockNum();\n        lastRow_ = tiling.{count_name} * (GetBlockIdx() + 1) / GetBlockNum();"
        );
        for ((base, ty), name) in &self.scalars.tensors {
            let Base::Argument(index) = base else { continue };
            let from =
                self.function.parameters.get(*index as usize).map_or("", |p| p.name.as_str());
            let _ = writeln!(
                text,
                "        {name}.SetGlobalBuffer(reinterpret_cast<__gm__ {}*>({from}));",
                element_type(*ty)?
            );
        }
        for array in &self.inputs {
            let _ = writeln!(
                text,
                "        pipe_.InitBuffer(inQueue{}_, rows::BUFFER_NUM, PIECE * sizeof({}));",
                array.name,
                element_type(array.ty)?
            );
        }
        for array in &self.outputs {
            let _ = writeln!(
                text,
                "        pipe_.InitBuffer(outQueue{}_, rows::BUFFER_NUM, PIECE * sizeof({}));",
                array.name,
                element_type(array.ty)?
            );
        }
        if self.slots > 0 {
            let _ = writeln!(
                text,
                "        pipe_.InitBuffer(valuesBuf_, {} * PIECE * sizeof(float));",
                self.slots
            );
        }
        if self.masks > 0 {
            let _ =
                writeln!(text, "        pipe_.InitBuffer(maskBuf_, {} * PIECE / 8);", self.masks);
        }
        text.push_str("        pipe_.InitBuffer(workBuf_, PIECE / 8);\n");
        if self.places {
            text.push_str("        pipe_.InitBuffer(placesBuf_, PIECE * sizeof(float));\n");
            text.push_str("        rows::CountUp(placesBuf_.Get<float>(), PIECE);\n");
        }
        for (base, ty, name) in &self.results {
            let gm = self.scalars.tensors.get(&(*base, *ty)).cloned().unwrap_or_default();
            let _ = writeln!(text, "        {name}.Init(pipe_, {gm});");
        }
        text.push_str("    }\n\n    __aicore__ inline void Process()\n    {\n");
        text.push_str(&process);
        text.push_str("    }\n\nprivate:\n");
        if let Some(is_row) = &is_row {
            let _ = writeln!(
                text,
                "    __aicore__ inline bool IsRow(int64_t row) const {{ return {is_row}; }}"
            );
        }
        text.push_str(&length_texts);
        text.push_str(&copies);
        if !own.is_empty() {
            let _ = write!(
                text,
                "    __aicore__ inline void CopyInRow(int64_t row)\n    {{\n{copy_row}    }}\n"
            );
        }
        for method in methods {
            text.push('\n');
            text.push_str(&method.text);
        }
        let _ = write!(
            text,
            "\n    // A row of one piece.\n    __aicore__ inline void ProcessRow(int64_t row)\n    {{\n{}{process_row}    }}\n",
            with_work(&process_row)
        );
        let _ = write!(
            text,
            "    // A row of several pieces, which come again for each loop over it.\n    __aicore__ inline void ProcessLongRow(int64_t row)\n    {{\n{}{long}    }}\n\n",
            with_work(&long)
        );
        let _ = writeln!(text, "    // Elements that are handled together.");
        let _ = writeln!(text, "    static constexpr uint32_t PIECE = {piece};");
        let _ = writeln!(text, "    {tiling} tiling_;\n    TPipe pipe_;");
        for array in &self.inputs {
            let _ = writeln!(
                text,
                "    TQue<TPosition::VECIN, rows::BUFFER_NUM> inQueue{}_;",
                array.name
            );
        }
        for array in &self.outputs {
            let _ = writeln!(
                text,
                "    TQue<TPosition::VECOUT, rows::BUFFER_NUM> outQueue{}_;",
                array.name
            );
        }
        if self.slots > 0 {
            text.push_str("    TBuf<TPosition::VECCALC> valuesBuf_;\n");
        }
        if self.masks > 0 {
            text.push_str("    TBuf<TPosition::VECCALC> maskBuf_;\n");
        }
        text.push_str("    TBuf<TPosition::VECCALC> workBuf_;\n");
        if self.places {
            text.push_str("    TBuf<TPosition::VECCALC> placesBuf_;\n");
        }
        for index in &kept {
            let array = &self.inputs[*index];
            let _ = writeln!(
                text,
                "    LocalTensor<{}> {}_;",
                element_type(array.ty)?,
                local(&array.name)
            );
        }
        for ((_, ty), name) in &self.scalars.tensors {
            let _ = writeln!(text, "    GlobalTensor<{}> {name};", element_type(*ty)?);
        }
        for (_, ty, name) in &self.results {
            let _ = writeln!(text, "    rows::RowResults<{}> {name};", element_type(*ty)?);
        }
        for (name, ty, _) in &self.members {
            let _ = writeln!(text, "    {ty} {name};");
        }
        text.push_str("    int64_t firstRow_;\n    int64_t lastRow_;\n};\n");
        Ok(())
    }
}
