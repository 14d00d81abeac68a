mod jobs {
    use flowcore::prelude::*;

    struct Secret;

    #[task]
    pub fn process(secret: Secret) {
        let _ = secret;
    }
}

fn main() {
    let _ = jobs::process;
}
